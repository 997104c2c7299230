using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Labels;

/// <summary>
/// The labels of a table that may be none. What pandas and spreadsheets write for a value that is missing (an empty field, nan, null, NaT, #N/A) is no class, unless the model or the label map has it. None, NA and N/A,
/// which pandas reads as missing too, are names that classes have, so they are classes, and said.
/// </summary>
/// <param name="options">What is known of the labels.</param>
internal sealed class MissingLabels(DatasetOptions options)
{
    private readonly Dictionary<string, HashSet<int>> doubtful = new(StringComparer.Ordinal);

    /// <summary>Whether a label is none; one that may be is remembered.</summary>
    /// <param name="label">As the file has it.</param>
    /// <param name="line">Where.</param>
    public bool IsMissing(string label, int line)
    {
        bool missing = ClassNames.IsMissing(label);
        if ((!missing && !ClassNames.MayBeMissing(label)) || options.LabelNames?.Contains(label) == true || options.LabelMap?.Has(label) == true) return false;
        if (missing) return true;
        if (!doubtful.TryGetValue(label, out HashSet<int>? lines)) doubtful.Add(label, lines = []);
        lines.Add(line);
        return false;
    }

    /// <summary>What is to be known of labels that are classes, each a sentence.</summary>
    /// <param name="path">The file.</param>
    /// <param name="note">What is to be known besides, or null.</param>
    public IReadOnlyList<string> Notes(string path, string? note) =>
    [
        .. note is null ? [] : (string[])[$"{path}: {note}"],
        .. doubtful.Select(label => $"{path}, line {label.Value.Min()}: label {Quote.Name(label.Key)}, in {(label.Value.Count == 1 ? "1 line" : $"{label.Value.Count:N0} lines")}, is taken as a class of that name; pandas reads it as a missing value: leave these rows out if it is one"),
    ];
}
