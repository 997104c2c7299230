using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Data.Labels;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>A table in which the columns of texts and labels have been found: what the kinds of tasks read their examples with.</summary>
public sealed class LabelledTable
{
    private static readonly string[] TextNames = ["text", "sentence", "sentence1"];
    private static readonly string[] PairNames = ["text_pair", "sentence2"];

    private readonly DatasetOptions options;
    private readonly int text;
    private readonly int pair;
    private readonly MissingLabels missing;
    private readonly List<string> notes = [];

    /// <summary>Finds the columns.</summary>
    /// <param name="table">The table, of at least one row.</param>
    /// <param name="options">Which columns, and whether there must be labels.</param>
    /// <param name="labelColumns">Names that a column of labels may have where the options name none.</param>
    /// <exception cref="InputException">There is no row, or a column is missing.</exception>
    public LabelledTable(Table table, DatasetOptions options, IReadOnlyList<string> labelColumns)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(labelColumns);
        Table = table;
        this.options = options;
        missing = new MissingLabels(options);
        if (table.Rows.Count == 0) throw new InputException($"{table.Path}: no examples found, expected at least one row.");
        text = Find(options.TextColumn, TextNames, required: true, "text");
        pair = Find(options.PairColumn, PairNames, required: false, "second text");
        string[] named = options.LabelColumn is { } one && table.IndexOf(one) < 0 ? one.Split(',', StringSplitOptions.TrimEntries) : [];
        if (named.Length > 1) Columns = [.. named.Select(name => Find(name, [], required: true, "label"))];
        else if (Find(options.LabelColumn, labelColumns, options.RequireLabels, "label") is var label and >= 0) Columns = [label];
    }

    /// <summary>The table.</summary>
    public Table Table { get; }

    /// <summary>The columns of labels: one, or as many as were named; empty when the table has none.</summary>
    public IReadOnlyList<int> Columns { get; } = [];

    /// <summary>The first column of labels, or null.</summary>
    public int? LabelColumn => Columns.Count == 0 ? null : Columns[0];

    /// <summary>An error in a row, to be thrown.</summary>
    public InputException Error(TableRow row, string what)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(what);
        return new($"{Table.Path}, line {row.Line}: {what}.");
    }

    /// <summary>A row's text or pair, without its targets.</summary>
    /// <exception cref="InputException">A text is missing.</exception>
    public Example Example(TableRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return new(Field(row, text), pair < 0 ? null : Field(row, pair));
    }

    /// <summary>The data set of all rows.</summary>
    /// <param name="names">The outputs' names, or null.</param>
    /// <param name="example">Makes one row's example; called in the rows' order.</param>
    public Dataset Dataset(IReadOnlyList<string>? names, Func<TableRow, Example> example)
    {
        ArgumentNullException.ThrowIfNull(example);
        Example[] examples = [.. Table.Rows.Select(example)];
        return new(Path.GetFileName(Table.Path), examples, names) { Notes = [.. missing.Notes(Table.Path, Table.Note), .. notes.Select(note => $"{Table.Path}: {note}")] };
    }

    /// <summary>Adds what the reader of the data should know to the data set's notes.</summary>
    internal void Say(string note) => notes.Add(note);

    /// <summary>A field that holds one value.</summary>
    /// <exception cref="InputException">It is missing or a list.</exception>
    public string Field(TableRow row, int column)
    {
        ArgumentNullException.ThrowIfNull(row);
        return row.Fields[column] ?? throw Error(row, $"field {Quote.Name(Table.Columns[column])} is missing or not a plain value, expected a string");
    }

    /// <summary>A field that holds a label: a row without one is no class of its own.</summary>
    /// <exception cref="InputException">It is missing.</exception>
    public string Label(TableRow row, int column)
    {
        ArgumentNullException.ThrowIfNull(row);
        string label = Field(row, column);
        return missing.IsMissing(label, row.Line) ? throw Error(row, $"the label is missing ({Quote.Name(label)} found), expected one in every row") : label;
    }

    /// <summary>A field that holds a list: of JSON, or words with a separator between them. An empty field, or an empty list, is a list of nothing; a field that is not there is an error.</summary>
    /// <exception cref="InputException">It is missing, or has something else than plain values in it.</exception>
    public IReadOnlyList<string> List(TableRow row, int column, string separator = ",")
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(separator);
        return row.ListAt(column) is { } json ? JsonList(row, column, json) : Split(row, Field(row, column), separator);
    }

    /// <summary>The lists of all rows, see <see cref="List"/>; where every cell is a list as Python or JSON writes it, these.</summary>
    /// <exception cref="InputException">One is missing or damaged, or only some cells are lists.</exception>
    internal IReadOnlyList<string>[] Lists(int column, string separator)
    {
        TableRow[] filled = [.. Table.Rows.Where(row => row.ListAt(column) is null && !string.IsNullOrWhiteSpace(Field(row, column)))];
        bool areWritten = filled.Length > 0 && Array.TrueForAll(filled, row => WrittenList.IsOne(row.Fields[column]!));
        if (!areWritten)
        {
            if (Array.Find(filled, row => WrittenList.IsOne(row.Fields[column]!)) is { } one)
                throw Error(one, $"the labels {Quote.Name(one.Fields[column]!)} are a list, and those of line {filled.First(row => !WrittenList.IsOne(row.Fields[column]!)).Line} are not; expected the same form in every row");
            NoteSeparator(filled, column, separator);
        }

        return [.. Table.Rows.Select(row => areWritten && row.ListAt(column) is null && row.Fields[column] is { } cell && !string.IsNullOrWhiteSpace(cell)
            ? [.. (WrittenList.Read(cell) ?? throw Error(row, $"the labels {Quote.Name(cell)} are no list that can be read, expected strings in quotes or numbers, such as ['a', 'b']")).Select(label => Known(row, label))]
            : List(row, column, separator))];
    }

    private void NoteSeparator(TableRow[] filled, int column, string separator)
    {
        if (Array.Exists(filled, row => row.Fields[column]!.Contains(separator, StringComparison.Ordinal))) return;
        foreach (char other in "|;")
        {
            TableRow[] with = Array.FindAll(filled, row => row.Fields[column]!.Split(other, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Length > 1);
            if (with.Length == 0) continue;
            Say($"line {with[0].Line} has the one label {Quote.Name(with[0].Fields[column]!)}; \"{other}\" is in {(with.Length == 1 ? "1 line" : $"{with.Length:N0} lines")}, and no line has the separator \"{separator}\"; if several labels are meant, say --label-separator \"{other}\"");
        }
    }

    private string[] Split(TableRow row, string plain, string separator)
    {
        if (string.IsNullOrWhiteSpace(plain)) return [];
        string[] parts = plain.Split(separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length == 1 && missing.IsMissing(parts[0], row.Line)) throw Error(row, $"the labels are missing ({Quote.Name(plain)} found), expected a list in every row");
        return [.. parts.Select(label => Known(row, label))];
    }

    private string[] JsonList(TableRow row, int column, string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Array) throw Error(row, $"field {Quote.Name(Table.Columns[column])} is {Quote.Name(json)}, expected a list");
        JsonElement[] items = [.. document.RootElement.EnumerateArray()];
        // Truth values are one for each label; among others they name none.
        bool areTruths = items.Length > 1 && Array.TrueForAll(items, item => item.ValueKind is JsonValueKind.True or JsonValueKind.False);
        return Array.ConvertAll(items, item => item.ValueKind switch
        {
            JsonValueKind.String => Known(row, item.GetString()!),
            JsonValueKind.Number => item.GetRawText(),
            JsonValueKind.True or JsonValueKind.False when areTruths => item.GetRawText(),
            _ => throw Error(row, $"field {Quote.Name(Table.Columns[column])} has {Quote.Name(item.GetRawText())} in its list, expected strings or numbers"),
        });
    }

    private string Known(TableRow row, string label) =>
        missing.IsMissing(label, row.Line) ? throw Error(row, $"a label in the list is missing ({Quote.Name(label)} found), expected labels or an empty list") : label;

    /// <summary>A finite number.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    public float Number(TableRow row, string field)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(field);
        return float.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out float score) && float.IsFinite(score)
        ? score
        : throw Error(row, $"score {Quote.Name(field)} found, expected a finite number");
    }

    /// <summary>The number of the class that a label names, see <see cref="ClassNames"/>, by way of the label map where there is one.</summary>
    /// <param name="row">The row, for the message.</param>
    /// <param name="label">The label.</param>
    /// <param name="names">The classes.</param>
    /// <param name="known">Labels that were looked up already.</param>
    /// <exception cref="InputException">It names none.</exception>
    public int ClassOf(TableRow row, string label, IReadOnlyList<string> names, Dictionary<string, int> known)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(label);
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(known);
        if (!known.TryGetValue(label, out int index))
        {
            string? name = options.LabelMap is { } map ? map.Of(label) : label;
            if (name is null) throw Error(row, $"label {Quote.Name(label)} found, expected one of the label map's, {options.LabelMap!.Listed}");
            known[label] = index = ClassNames.IndexOf(names, name);
        }

        return index >= 0 ? index : throw Error(row, $"label {Quote.Name(label)} found, expected one of {string.Join(", ", names.Take(20).Select(Quote.Plain))}");
    }

    /// <summary>The classes that labels name: 0 … n−1 when the labels are just these, else the labels in ordinal order.</summary>
    /// <exception cref="InputException">There is only one, or they are numbers with fractions.</exception>
    public string[] ClassesIn(IEnumerable<string> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        string[] names = [.. labels.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (names.Length < 2) throw new InputException($"{Table.Path}: every label is {Quote.Name(names[0])}, expected at least two classes.");
        if (names.All(IsNumber) && !names.All(name => long.TryParse(name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)))
            throw new InputException($"{Table.Path}: the labels are numbers with fractions ({names[0]}, …), expected classes, or regression to be asked for.");
        // All are distinct: n of them, each the plain spelling of a number below n, are 0 … n−1.
        bool counted = names.All(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value < names.Length && value.ToString(CultureInfo.InvariantCulture) == name);
        return counted ? [.. names.OrderBy(name => int.Parse(name, CultureInfo.InvariantCulture))] : names;
    }

    /// <summary>The classes that labels are of: those that a model has, else those of the label map, else those that are found.</summary>
    /// <param name="found">Finds them in the table.</param>
    /// <exception cref="InputException">The label map has a name that is none of the model's.</exception>
    public IReadOnlyList<string> Names(Func<IReadOnlyList<string>> found)
    {
        ArgumentNullException.ThrowIfNull(found);
        if (options.LabelNames is { } names)
        {
            options.LabelMap?.RequireIn(names);
            return names;
        }

        return options.LabelMap?.Names ?? found();
    }

    /// <summary>Refuses columns that are not the targets that a model has.</summary>
    /// <exception cref="InputException">They are others, or in another order.</exception>
    public void RequireNames(IReadOnlyList<string> names, IReadOnlyList<string>? expected)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (expected is not null && !expected.SequenceEqual(names))
            throw new InputException($"{Table.Path}: the label columns are {string.Join(", ", names)}, expected {string.Join(", ", expected)}.");
    }

    private static bool IsNumber(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value);

    private int Find(string? named, IReadOnlyList<string> defaults, bool required, string what)
    {
        foreach (string name in named is null ? defaults : [named])
        {
            int index = Table.IndexOf(name);
            if (index >= 0) return index;
        }

        if (named is null && !required) return -1;
        string expected = named is null ? string.Join(" or ", defaults) : named;
        throw new InputException($"{Table.Path}: the columns are {string.Join(", ", Table.Columns)}, expected a {what} column {expected}.");
    }
}
