using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Tables;

/// <summary>Comma- or tab-separated values with a header, quoted as RFC 4180 says: "" is a quote, a quoted field may hold line ends.</summary>
internal static class CsvTable
{
    public static Table Read(string path) => Read(path, TextLines.Read(path), ',');

    public static Table Read(string path, List<(int Number, string Text)> lines, char delimiter)
    {
        string text = string.Join('\n', lines.Select(line => line.Text));
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Mode = CsvMode.RFC4180,
            // Passed over below: the parser would not count them.
            IgnoreBlankLines = false,
            // Checked below, where the line is known.
            BadDataFound = null,
            DetectDelimiter = false,
            Delimiter = delimiter.ToString(),
            NewLine = "\n",
        };
        using var parser = new CsvParser(new StringReader(text), configuration);
        string[]? columns = null;
        int headerLine = 0, line = 1;
        var rows = new List<TableRow>();
        while (parser.Read())
        {
            string raw = parser.RawRecord;
            int first = line;
            line += raw.Count(c => c == '\n');
            if (raw.AsSpan().Trim('\n').IsEmpty) continue;
            CheckQuotes(path, first, raw.AsSpan().TrimEnd('\n'), delimiter);
            string[] fields = parser.Record!;
            if (columns is null)
            {
                columns = fields;
                headerLine = first;
            }
            else if (fields.Length != columns.Length)
            {
                throw new InputException($"{path}, line {first}: {Table.FieldCount(fields.Length)} found, {columns.Length} expected.");
            }
            else
            {
                rows.Add(new TableRow(first, fields));
            }
        }
        return Table.Of(path, headerLine, columns ?? [], rows);
    }

    // The parser is lenient with quotes; a stray or an open one mostly means that the rows after it were swallowed.
    private static void CheckQuotes(string path, int line, ReadOnlySpan<char> record, char delimiter)
    {
        bool inside = false, closed = false, fieldStart = true;
        foreach (char c in record)
        {
            if (inside)
            {
                if (c == '"') (inside, closed) = (false, true);
            }
            else if (c == '"' && (fieldStart || closed))
            {
                // At the start of a field a quote opens it; right after a closing quote it is the second of a doubled one.
                (inside, closed) = (true, false);
            }
            else if (c == '"' || (closed && c != delimiter))
            {
                throw new InputException(
                    $"{path}, line {line}: a quote stands inside a field, expected \"\" in a field that is quoted whole.");
            }
            else
            {
                closed = false;
            }
            fieldStart = c == delimiter && !inside;
        }
        if (inside) throw new InputException($"{path}, line {line}: a quoted field is not closed, expected a second quote.");
    }
}
