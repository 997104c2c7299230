using System.Text;
using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Tables;

/// <summary>
/// CoNLL's columns: a word a line with its tag in the last column, an empty line between sentences. Lines that begin with -DOCSTART- are passed over, and comments (# and a space) before a
/// sentence's first word.
/// </summary>
internal static class ConllTable
{
    public static Table Read(string path)
    {
        var rows = new List<TableRow>();
        List<string> words = [], tags = [];
        List<int> lines = [];
        int columns = 0;
        void Close()
        {
            if (words.Count > 0) rows.Add(new TableRow(lines[0], [null, null]) { Structures = [Json(words), Json(tags)], ItemLines = [.. lines] });
            words.Clear();
            tags.Clear();
            lines.Clear();
        }

        foreach ((int number, string line) in TextLines.Read(path))
        {
            if (string.IsNullOrWhiteSpace(line) || line.StartsWith("-DOCSTART-", StringComparison.Ordinal))
            {
                Close();
                continue;
            }

            if (words.Count == 0 && line.StartsWith("# ", StringComparison.Ordinal)) continue;
            string[] fields = line.Contains('\t', StringComparison.Ordinal) ? line.Split('\t') : line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 2) throw new InputException($"{path}, line {number}: {Quote.Name(line)} has one column, expected a word and its tag.");
            if (columns == 0) columns = fields.Length;
            if (fields.Length != columns) throw new InputException($"{path}, line {number}: {Table.FieldCount(fields.Length)} found, {columns} expected.");
            if (string.IsNullOrWhiteSpace(fields[0])) throw new InputException($"{path}, line {number}: the word is empty, expected one in the first column.");
            words.Add(fields[0]);
            tags.Add(fields[^1].Trim());
            lines.Add(number);
        }

        Close();
        return Table.Of(path, 1, ["words", "tags"], rows);
    }

    private static string Json(List<string> items)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (string item in items) json.WriteStringValue(item);
            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
