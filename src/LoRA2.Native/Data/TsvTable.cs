using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>Tab-separated values with a header: quotes are plain characters, empty lines are passed over.</summary>
internal static class TsvTable
{
    public static Table Read(string path)
    {
        string[]? columns = null;
        int headerLine = 0;
        var rows = new List<TableRow>();
        foreach ((int number, string line) in TextLines.Read(path))
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
                throw new InputException($"{path}, line {number}: {GlueTask.Fields(fields.Length)} found, {columns.Length} expected.");
            }
            else
            {
                rows.Add(new TableRow(number, fields));
            }
        }
        return Table.Of(path, headerLine, columns ?? [], rows);
    }
}
