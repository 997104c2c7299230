using LoRA2.Native.Files;

namespace LoRA2.Native.Embeddings;

/// <summary>What people and sentence-transformers call the ways of pooling.</summary>
public static class PoolingNames
{
    private static readonly (Pooling Pooling, string Name, string Field)[] Known =
    [
        (Pooling.Mean, "mean", "pooling_mode_mean_tokens"),
        (Pooling.Cls, "cls", "pooling_mode_cls_token"),
        (Pooling.Max, "max", "pooling_mode_max_tokens"),
        (Pooling.MeanSqrtLength, "mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens"),
        (Pooling.WeightedMean, "weightedmean", "pooling_mode_weightedmean_tokens"),
        (Pooling.Last, "lasttoken", "pooling_mode_lasttoken"),
    ];

    /// <summary>All names, as sentence-transformers' <c>pooling_mode</c> has them.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Known.Select(known => known.Name)];

    /// <summary>The fields of sentence-transformers' <c>1_Pooling/config.json</c>, one a way.</summary>
    internal static IEnumerable<(Pooling Pooling, string Field)> Fields => Known.Select(known => (known.Pooling, known.Field));

    /// <summary>A way's name.</summary>
    public static string NameOf(Pooling pooling) => Known.First(known => known.Pooling == pooling).Name;

    /// <summary>The way of that name.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static Pooling Named(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach ((Pooling pooling, string known, _) in Known)
        {
            if (known == name) return pooling;
        }

        throw new InputException($"there is no pooling '{name}'; there are {string.Join(", ", All)}");
    }
}
