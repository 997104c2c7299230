using LoRA2.Native.Tasks;

namespace LoRA2.Native.Data;

/// <summary>How to read a data file of the user's own.</summary>
public sealed record DatasetOptions
{
    /// <summary>The column of the text; null for the first there is of text, sentence, sentence1.</summary>
    public string? TextColumn { get; init; }

    /// <summary>The column of the second text; null for the first there is of text_pair, sentence2, or none.</summary>
    public string? PairColumn { get; init; }

    /// <summary>The column of the label or score, or several with commas between them; null for the first there is of the kind's own (<see cref="TaskKind.LabelColumns"/>).</summary>
    public string? LabelColumn { get; init; }

    /// <summary>What is to be learned of the data, and so what its labels are.</summary>
    public TaskKind Kind { get; init; } = TaskKinds.Classification;

    /// <summary>What stands between the labels of a row that has several, where they are not a list of JSON.</summary>
    public string LabelSeparator { get; init; } = ",";

    /// <summary>
    /// The classes' names by index, as the training data gave them; null to collect them from this file: whole numbers 0 … n−1 as they
    /// are, other labels in ordinal order.
    /// </summary>
    public IReadOnlyList<string>? LabelNames { get; init; }

    /// <summary>What the labels of the data are called in the model, for kinds with names of classes or labels (<see cref="TaskKind.MapsLabels"/>); null where they have its names.</summary>
    public LabelMap? LabelMap { get; init; }

    /// <summary>The split to read where the path is a folder, see <see cref="DatasetFolder"/>; null: folders are refused.</summary>
    public string? Split { get; init; }

    /// <summary>Whether the file must have labels; without, a file that has no label column gives examples without labels.</summary>
    public bool RequireLabels { get; init; } = true;
}
