using LoRA2.Native.Files;

namespace LoRA2.Native.Embeddings.Losses;

/// <summary>The losses by the names that the command line has for them.</summary>
public static class EmbeddingLosses
{
    /// <summary>All of them, each with its usual settings.</summary>
    public static IReadOnlyList<EmbeddingLoss> All { get; } =
    [
        new MultipleNegativesRankingLoss(),
        new MultipleNegativesRankingLoss { IsSymmetric = true },
        new CoSENTLoss(),
        new CosineSimilarityLoss(),
        new TripletLoss(),
        new TripletLoss { IsCosine = true, Margin = 0.5 },
        new ContrastiveLoss(),
        new OnlineContrastiveLoss(),
    ];

    /// <summary>The loss of that name.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static EmbeddingLoss Named(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return All.FirstOrDefault(loss => loss.Name == name) ?? throw new InputException($"there is no loss '{name}'; there are {string.Join(", ", All)}");
    }
}
