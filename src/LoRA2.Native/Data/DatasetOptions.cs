namespace LoRA2.Native.Data;

/// <summary>How to read a data file of the user's own.</summary>
public sealed record DatasetOptions
{
    /// <summary>The column of the text; null for the first there is of text, sentence, sentence1.</summary>
    public string? TextColumn { get; init; }

    /// <summary>The column of the second text; null for the first there is of text_pair, sentence2, or none.</summary>
    public string? PairColumn { get; init; }

    /// <summary>The column of the label or score; null for the first there is of label, score.</summary>
    public string? LabelColumn { get; init; }

    /// <summary>Whether labels are scores to be predicted as numbers.</summary>
    public bool Regression { get; init; }

    /// <summary>
    /// The classes' names by index, as the training data gave them; null to collect them from this file: whole numbers 0 … n−1 as they
    /// are, other labels in ordinal order.
    /// </summary>
    public IReadOnlyList<string>? LabelNames { get; init; }

    /// <summary>Whether the file must have labels; without, a file that has no label column gives examples without labels.</summary>
    public bool RequireLabels { get; init; } = true;
}
