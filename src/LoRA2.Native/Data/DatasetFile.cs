using System.Globalization;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>
/// Reads the user's own data, of any format in <see cref="DataFormats"/>: .tsv (quotes plain, unless the file is quoted as pandas does it), .csv (RFC 4180), .jsonl, …, with
/// named columns.
/// </summary>
public static class DatasetFile
{
    private static readonly string[] TextNames = ["text", "sentence", "sentence1"];
    private static readonly string[] PairNames = ["text_pair", "sentence2"];
    private static readonly string[] LabelColumnNames = ["label", "score"];

    /// <summary>Reads a file.</summary>
    /// <param name="path">A file of a format in <see cref="DataFormats"/>.</param>
    /// <param name="options">The columns and labels expected; null for the defaults.</param>
    /// <exception cref="InputException">The file is missing or empty, lacks a column, or has a bad row.</exception>
    public static Dataset Load(string path, DatasetOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new DatasetOptions();
        Table table = DataFormats.Of(path).Read(path);
        if (table.Rows.Count == 0) throw new InputException($"{path}: no examples found, expected at least one row.");
        int text = Column(table, options.TextColumn, TextNames, required: true, "text");
        int pair = Column(table, options.PairColumn, PairNames, required: false, "second text");
        int label = Column(table, options.LabelColumn, LabelColumnNames, options.RequireLabels, "label");

        string[]? labels = label < 0 ? null : [.. table.Rows.Select(row => Label(table, row, label, options))];
        IReadOnlyList<string>? names = labels is null || options.Regression
            ? null
            : options.LabelNames ?? CollectLabels(path, labels);
        var classes = new Dictionary<string, int>(StringComparer.Ordinal);
        var examples = new List<Example>(table.Rows.Count);
        for (int i = 0; i < table.Rows.Count; i++)
        {
            TableRow row = table.Rows[i];
            float? target = labels is null
                ? null
                : names is null ? Score(path, row.Line, labels[i]) : ClassOf(path, row.Line, labels[i], names, classes);
            examples.Add(new Example(Field(table, row, text), pair < 0 ? null : Field(table, row, pair), target));
        }
        return new Dataset(Path.GetFileName(path), examples, names) { Notes = table.Note is { } note ? [$"{path}: {note}"] : [] };
    }

    /// <summary>The classes' names by index: 0 … n−1 when the labels are just these, else the labels in ordinal order.</summary>
    private static string[] CollectLabels(string path, string[] labels)
    {
        string[] names = [.. labels.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (names.Length < 2) throw new InputException($"{path}: every label is {Quote.Name(names[0])}, expected at least two classes.");
        if (names.All(IsNumber)
            && !names.All(name => long.TryParse(name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)))
            throw new InputException(
                $"{path}: the labels are numbers with fractions ({names[0]}, …), expected classes, or regression to be asked for.");
        // All are distinct: n of them, each the plain spelling of a number below n, are 0 … n−1.
        bool counted = names.All(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out int v)
            && v < names.Length && v.ToString(CultureInfo.InvariantCulture) == n);
        return counted ? [.. names.OrderBy(n => int.Parse(n, CultureInfo.InvariantCulture))] : names;
    }

    private static bool IsNumber(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double v) && double.IsFinite(v);

    private static int Column(Table table, string? named, string[] defaults, bool required, string what)
    {
        foreach (string name in named is null ? defaults : [named])
        {
            int index = table.IndexOf(name);
            if (index >= 0) return index;
        }
        if (named is null && !required) return -1;
        string expected = named is null ? string.Join(" or ", defaults) : named;
        throw new InputException($"{table.Path}: the columns are {string.Join(", ", table.Columns)}, expected a {what} column {expected}.");
    }

    private static string Field(Table table, TableRow row, int column) => row.Fields[column] ?? throw new InputException(
        $"{table.Path}, line {row.Line}: field {Quote.Name(table.Columns[column])} is missing or not a plain value, expected a string.");

    private static float Score(string path, int line, string text) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float score) && float.IsFinite(score)
            ? score
            : throw new InputException($"{path}, line {line}: score {Quote.Name(text)} found, expected a finite number.");

    /// <summary>A row without a label is no class of its own.</summary>
    private static string Label(Table table, TableRow row, int column, DatasetOptions options)
    {
        string label = Field(table, row, column);
        bool missing = ClassNames.IsMissing(label) && (options.Regression || options.LabelNames is not { } names || !names.Contains(label));
        return missing ? throw new InputException($"{table.Path}, line {row.Line}: the label is missing ({Quote.Name(label)} found), expected one in every row.") : label;
    }

    private static int ClassOf(string path, int line, string label, IReadOnlyList<string> names, Dictionary<string, int> known)
    {
        if (!known.TryGetValue(label, out int index)) known[label] = index = ClassNames.IndexOf(names, label);
        return index >= 0
            ? index
            : throw new InputException($"{path}, line {line}: label {Quote.Name(label)} found, expected one of {string.Join(", ", names.Take(20).Select(Quote.Plain))}.");
    }
}
