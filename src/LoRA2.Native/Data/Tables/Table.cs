using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Tables;

/// <summary>A file's rows under named columns, whatever its format.</summary>
public sealed record Table
{
    private Table(string path, IReadOnlyList<string> columns, IReadOnlyList<TableRow> rows)
    {
        Path = path;
        Columns = columns;
        Rows = rows;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The columns' names, no two alike.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>The rows, with one field a column.</summary>
    public IReadOnlyList<TableRow> Rows { get; }

    /// <summary>What a reader of the file should know of how it was read, or null.</summary>
    public string? Note { get; init; }

    /// <summary>A number of fields in words, for messages.</summary>
    internal static string FieldCount(int count) => count == 1 ? "1 field" : $"{count} fields";

    /// <summary>Makes a table.</summary>
    /// <param name="path">The file.</param>
    /// <param name="headerLine">The line that names the columns, counted from 1, for the message.</param>
    /// <param name="columns">The columns' names.</param>
    /// <param name="rows">The rows.</param>
    /// <exception cref="InputException">Two columns have one name, or a row has more or fewer fields than there are columns.</exception>
    public static Table Of(string path, int headerLine, IReadOnlyList<string> columns, IReadOnlyList<TableRow> rows)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(rows);
        if (columns.GroupBy(column => column).FirstOrDefault(group => group.Count() > 1)?.Key is { } twice)
            throw new InputException($"{path}, line {headerLine}: column {Quote.Name(twice)} appears twice in the header, expected each name once.");
        if (rows.FirstOrDefault(row => row.Fields.Count != columns.Count) is { } odd)
            throw new InputException($"{path}, line {odd.Line}: {FieldCount(odd.Fields.Count)} found, {columns.Count} expected.");
        return new Table(path, columns, rows);
    }

    /// <summary>The rows of several files with the same columns, in their order; lines are counted in each file.</summary>
    /// <exception cref="InputException">A file has other columns than the first.</exception>
    internal static Table Joined(string path, IReadOnlyList<Table> tables)
    {
        if (tables.FirstOrDefault(table => !table.Columns.SequenceEqual(tables[0].Columns)) is { } other)
            throw new InputException($"{other.Path}: the columns are {string.Join(", ", other.Columns)}, expected those of {tables[0].Path}, {string.Join(", ", tables[0].Columns)}.");
        return new Table(path, tables[0].Columns, [.. tables.SelectMany(table => table.Rows)]) { Note = tables.Select(table => table.Note).FirstOrDefault(note => note is not null) };
    }

    /// <summary>A column's place by its name, or −1.</summary>
    public int IndexOf(string column)
    {
        ArgumentNullException.ThrowIfNull(column);
        for (int i = 0; i < Columns.Count; i++)
        {
            if (Columns[i] == column) return i;
        }

        return -1;
    }
}

/// <summary>One row.</summary>
/// <param name="Line">The line it begins on, counted from 1.</param>
/// <param name="Fields">One field a column; null where it is missing or not a plain value (JSON only).</param>
public sealed record TableRow(int Line, IReadOnlyList<string?> Fields)
{
    /// <summary>For formats with lists and objects in their fields: each such field as JSON, null for the others; null where no field is one.</summary>
    public IReadOnlyList<string?>? Structures { get; init; }

    /// <summary>The line of each item of the row's lists, where items have lines of their own.</summary>
    public IReadOnlyList<int>? ItemLines { get; init; }

    /// <summary>The JSON of a field that is a list or an object, or null.</summary>
    public string? ListAt(int column) => Structures?[column];
}
