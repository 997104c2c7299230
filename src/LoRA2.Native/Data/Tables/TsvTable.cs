using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Tables;

/// <summary>
/// Tab-separated values with a header: quotes are plain characters, empty lines are passed over. A file that is quoted throughout as pandas writes it, see
/// <see cref="TsvQuotes"/>, is read so.
/// </summary>
internal static class TsvTable
{
    public static Table Read(string path)
    {
        List<(int Number, string Text)> lines = TextLines.Read(path);
        TsvQuotes quotes = TsvQuoting.Of(lines);
        if (quotes == TsvQuotes.Quoting)
            return CsvTable.Read(path, lines, '\t') with { Note = "fields with quotes are quoted as pandas does it; read without those quotes" };
        Table table = Plain(path, lines);
        return quotes == TsvQuotes.Doubtful ? table with { Note = "every field with a quote is quoted whole; quotes are text in .tsv and were kept (.csv is read without them)" } : table;
    }

    private static Table Plain(string path, List<(int Number, string Text)> lines)
    {
        string[]? columns = null;
        int headerLine = 0;
        var rows = new List<TableRow>();
        foreach ((int number, string line) in lines)
        {
            if (line.Length == 0) continue;
            string[] fields = line.Split('\t');
            if (columns is null)
            {
                columns = fields;
                headerLine = number;
            }
            else if (fields.Length != columns.Length)
            {
                throw new InputException($"{path}, line {number}: {Table.FieldCount(fields.Length)} found, {columns.Length} expected.");
            }
            else
            {
                rows.Add(new TableRow(number, fields));
            }
        }
        return Table.Of(path, headerLine, columns ?? [], rows);
    }
}
