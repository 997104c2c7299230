using System.Globalization;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Embeddings.Losses;

namespace LoRA2.Native.Tasks.Kinds;

/// <summary>The settings of <see cref="EmbeddingsTask"/> for the command line.</summary>
internal static class EmbeddingsTaskOptions
{
    public static IReadOnlyList<TaskOption> All { get; } =
    [
        TaskOption.Choice<EmbeddingsTask>("loss", "embeddings: what vectors are pulled together and apart by [ranking, or cosent for pairs with scores]", (kind, text) => kind with { LossName = text }, [.. EmbeddingLosses.All.Select(loss => loss.Name)]),
        Number("loss-scale", "embeddings: factor of the similarities in ranking and cosent [20]", (kind, value) => kind with { LossScale = value }),
        Number("margin", "embeddings: of triplet [5], cosine-triplet and contrastive losses [0.5]", (kind, value) => kind with { Margin = value }),
        Number("score-scale", "embeddings: scores are divided by it [1]", (kind, value) => kind with { ScoreScale = value }),
        new("matryoshka", "embeddings: numbers of first dimensions that the loss is summed over, so that cut vectors serve too [all of them alone]", "LIST", Dimensions, "whole numbers of at least 1 with commas between them were expected"),
        TaskOption.Choice<EmbeddingsTask>("pooling", "embeddings: how the tokens become one vector [what the model's folder says, else mean]", (kind, text) => kind with { Pooling = PoolingNames.Named(text) }, [.. PoolingNames.All]),
        TaskOption.Choice<EmbeddingsTask>("normalise", "embeddings: whether vectors have the length 1 [what the model's folder says, else false]", (kind, text) => kind with { Normalises = text == "true" }, "true", "false"),
    ];

    private static TaskOption Number(string name, string description, Func<EmbeddingsTask, double, EmbeddingsTask> with) => new(
        name, description, "X",
        (kind, text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value > 0 && double.IsFinite(value) ? with((EmbeddingsTask)kind, value) : null,
        "a number above 0 was expected");

    private static EmbeddingsTask? Dimensions(TaskKind kind, string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        int[] counts = [.. parts.Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 0)];
        return counts.Min() < 1 ? null : (EmbeddingsTask)kind with { Matryoshka = counts };
    }
}
