using System.Globalization;
using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Files;

namespace LoRA2.Native.Embeddings;

/// <summary>Reads examples of several texts from a table: an anchor, what is like it, perhaps texts that are not (columns whose names begin with "negative"), perhaps a score.</summary>
internal sealed class TextSetTable
{
    private static readonly string[] First = ["anchor", "query", "question", "text", "sentence", "sentence1"];
    private static readonly string[] Second = ["positive", "answer", "document", "passage", "text_pair", "sentence2"];
    private static readonly string[] Scores = ["score", "label", "similarity", "relevance"];

    private readonly Table table;
    private readonly int[] texts;
    private readonly int score;
    private readonly double scale;

    /// <summary>Finds the columns.</summary>
    /// <exception cref="InputException">There is no row, or a column is missing.</exception>
    public TextSetTable(Table table, DatasetOptions options, double scale)
    {
        this.table = table;
        this.scale = scale;
        if (table.Rows.Count == 0) throw new InputException($"{table.Path}: no examples found, expected at least one row.");
        int[] negatives = [.. Enumerable.Range(0, table.Columns.Count).Where(column => table.Columns[column].StartsWith("negative", StringComparison.Ordinal))];
        texts = [Find(options.TextColumn, First, "text") ?? -1, Find(options.PairColumn, Second, "second text") ?? -1, .. negatives];
        score = Find(options.LabelColumn, Scores, null) ?? -1;
        if (score >= 0 && negatives.Length > 0) throw new InputException($"{table.Path}: column {Quote.Name(table.Columns[score])} is a score and column {Quote.Name(table.Columns[negatives[0]])} a negative; pairs with scores, or an anchor, a positive and negatives, were expected.");
    }

    /// <summary>The examples.</summary>
    /// <exception cref="InputException">A row lacks a text or has no number for a score.</exception>
    public Dataset Read() => new(Path.GetFileName(table.Path), [.. table.Rows.Select(Example)], null) { Notes = table.Note is { } note ? [$"{table.Path}: {note}"] : [] };

    private Example Example(TableRow row) => new(Text(row, texts[0]), Text(row, texts[1]), score < 0 ? null : Score(row)) { Negatives = [.. texts.Skip(2).Select(column => Text(row, column))] };

    private string Text(TableRow row, int column) => row.Fields[column] is { } text && !string.IsNullOrWhiteSpace(text)
        ? text
        : throw new InputException($"{table.Path}, line {row.Line}: field {Quote.Name(table.Columns[column])} is missing or empty, expected a text.");

    private float Score(TableRow row)
    {
        string field = row.Fields[score] ?? "";
        return float.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && float.IsFinite(number)
            ? (float)(number / scale)
            : throw new InputException($"{table.Path}, line {row.Line}: score {Quote.Name(field)} found, expected a finite number.");
    }

    private int? Find(string? named, string[] usual, string? required)
    {
        foreach (string name in named is null ? usual : [named])
        {
            if (table.IndexOf(name) is var index and >= 0) return index;
        }

        if (named is null && required is null) return null;
        throw new InputException($"{table.Path}: the columns are {string.Join(", ", table.Columns)}, expected a {required ?? "score"} column {named ?? string.Join(" or ", usual)}.");
    }
}
