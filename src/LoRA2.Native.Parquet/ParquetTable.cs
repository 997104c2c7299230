using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Files;
using Parquet;
using Parquet.Schema;

namespace LoRA2.Native.Parquet;

/// <summary>Reads a Parquet file as a table: a column for each of its own on the top level.</summary>
internal static class ParquetTable
{
    /// <summary>More rows than any file of so many bytes has: a damaged count is found before anything is allocated for it.</summary>
    private const long RowsInAByte = 1000;

    public static Table Read(string path)
    {
        RegularFile.Require(path);
        if (!File.Exists(path)) throw new InputException($"{path}: no such file, expected a Parquet file.");
        try
        {
            // On a thread without a context that waiting could block.
            return Task.Run(() => ReadAsync(path)).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not (InputException or OutOfMemoryException))
        {
            // Parquet.Net has no exception of its own for damage: it runs into whatever the bytes make of it.
            throw new InputException($"{path}: not a Parquet file that can be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static async Task<Table> ReadAsync(string path)
    {
        await using FileStream file = File.OpenRead(path);
        FooterShape.Require(path, file);
        await using var stream = new EndingStream(file);
        await using ParquetReader reader = await ParquetReader.CreateAsync(stream).ConfigureAwait(false);
        Dictionary<string, string[]> names = ClassLabels.In(path, reader.CustomMetadata);
        Field[] columns = [.. reader.Schema.Fields];
        var rows = new List<TableRow>();
        for (int group = 0; group < reader.RowGroupCount; group++)
        {
            ParquetRowGroupReader part = reader.OpenRowGroupReader(group);
            if (part.RowCount < 0 || rows.Count + part.RowCount > Math.Min(int.MaxValue, stream.Length * RowsInAByte)) throw new InputException($"{path}: claims {part.RowCount} rows in {stream.Length} bytes");
            int count = (int)part.RowCount;
            var fields = new string?[columns.Length][];
            var lists = new string?[columns.Length][];
            for (int i = 0; i < columns.Length; i++)
            {
                (fields[i], lists[i]) = await ParquetColumn.ReadAsync(part, columns[i], count).ConfigureAwait(false);
                if (names.TryGetValue(columns[i].Name, out string[]? labels)) ClassLabels.Name(path, columns[i].Name, labels, fields[i]);
            }

            for (int row = 0; row < count; row++)
            {
                string?[]? structures = Array.Exists(lists, list => list.Length > 0) ? [.. lists.Select(list => list.Length > 0 ? list[row] : null)] : null;
                rows.Add(new TableRow(rows.Count + 1, [.. fields.Select(field => field[row])]) { Structures = structures });
            }
        }

        return Table.Of(path, 1, [.. columns.Select(column => column.Name)], rows);
    }
}
