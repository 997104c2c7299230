using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>A file's rows under named columns, whatever its format.</summary>
/// <param name="Path">The file.</param>
/// <param name="Columns">The columns' names.</param>
/// <param name="Rows">The rows. A field is null when it is missing or not a plain value (JSON only).</param>
internal sealed record Table(string Path, string[] Columns, List<TableRow> Rows)
{
    /// <summary>What a reader of the file should know of how it was read, or null.</summary>
    public string? Note { get; init; }

    /// <summary>Reads a .tsv, .csv, .jsonl or .ndjson file.</summary>
    public static Table Read(string path) => System.IO.Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".tsv" => TsvTable.Read(path),
        ".csv" => CsvTable.Read(path),
        ".jsonl" or ".ndjson" => JsonLinesTable.Read(path),
        string other => throw new InputException($"{path}: the file's name ends in \"{other}\", expected .tsv, .csv or .jsonl."),
    };

    /// <summary>Checks the header and makes the table.</summary>
    public static Table Of(string path, int headerLine, string[] columns, List<TableRow> rows)
    {
        string? twice = columns.GroupBy(c => c).FirstOrDefault(g => g.Count() > 1)?.Key;
        return twice is null
            ? new Table(path, columns, rows)
            : throw new InputException(
                $"{path}, line {headerLine}: column {Quote.Name(twice)} appears twice in the header, expected each name once.");
    }
}

/// <summary>One row.</summary>
/// <param name="Line">The line it begins on, counted from 1.</param>
/// <param name="Fields">One field a column.</param>
internal sealed record TableRow(int Line, string?[] Fields);
