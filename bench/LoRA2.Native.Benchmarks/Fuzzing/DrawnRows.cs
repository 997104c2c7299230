using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LoRA2.Native.Benchmarks.Fuzzing;

/// <summary>Draws files of data that a reader accepts, in all that their formats allow: orders of columns, quotes, line ends, escapes, and texts of every kind.</summary>
internal sealed class DrawnRows(Random random)
{
    private static readonly string[] Pieces =
    [
        "a good film", "bad", " ", "\"", "\"\"", "'", ",", ";", "\t", "\n", "\r\n", "\\", "\\n", "é", "e\u0301", "中文", "\U0001F600", "\u2028", "\u00A0", "\uFEFF", "nan", "null", "0", "-1", "1e5", "{", "[", "</s>", "#",
    ];

    private static readonly string[][] Classes = [["good", "bad"], ["0", "1"], ["1", "0", "2"], ["LABEL_0", "LABEL_1"], ["a b", "a,b"], ["ä", "\"q\""], ["no", "yes", "perhaps"]];

    /// <summary>Comma-separated values by RFC 4180.</summary>
    public byte[] Csv() => Rows(',', (text, plain) => plain && random.Next(2) == 0 ? text : '"' + text.Replace("\"", "\"\"", StringComparison.Ordinal) + '"', ",\"\n\r", breaks: true);

    /// <summary>Tab-separated values whose quotes mean nothing.</summary>
    public byte[] Tsv() => Rows('\t', (text, _) => text, "\t\n\r", breaks: false);

    /// <summary>One JSON object a line.</summary>
    public byte[] JsonLines()
    {
        var (columns, rows) = Drawn();
        JavaScriptEncoder encoder = random.Next(2) == 0 ? JavaScriptEncoder.UnsafeRelaxedJsonEscaping : JavaScriptEncoder.Default;
        using var file = new MemoryStream();
        foreach (string[] row in rows)
        {
            using (var json = new Utf8JsonWriter(file, new JsonWriterOptions { Encoder = encoder }))
            {
                json.WriteStartObject();
                foreach (int column in Shuffled(columns.Length))
                {
                    if (columns[column] == "label" && row[column] is "0" or "1" or "2" && random.Next(2) == 0) json.WriteNumber(columns[column], row[column][0] - '0');
                    else json.WriteString(columns[column], row[column]);
                }

                json.WriteEndObject();
            }

            file.Write(random.Next(4) == 0 ? "\r\n"u8 : "\n"u8);
            if (random.Next(10) == 0) file.Write("\n"u8);
        }

        return file.ToArray();
    }

    private byte[] Rows(char separator, Func<string, bool, string> field, string special, bool breaks)
    {
        var (columns, rows) = Drawn();
        string end = random.Next(3) == 0 ? "\r\n" : "\n";
        var text = new StringBuilder(random.Next(8) == 0 ? "\uFEFF" : "").AppendJoin(separator, columns).Append(end);
        foreach (string[] row in rows)
        {
            IEnumerable<string> fields = row.Select(value => breaks ? value : string.Concat(value.Select(c => special.Contains(c, StringComparison.Ordinal) ? ' ' : c)));
            text.AppendJoin(separator, fields.Select(value => field(value, value.Length > 0 && value.AsSpan().IndexOfAny(special) < 0))).Append(end);
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private (string[] Columns, List<string[]> Rows) Drawn()
    {
        string[] names = random.Next(3) == 0 ? ["sentence1", "sentence2", "label"] : random.Next(2) == 0 ? ["text", "label"] : ["id", "text", "text_pair", "label"];
        int[] order = Shuffled(names.Length);
        string[] columns = [.. order.Select(place => names[place])];
        string[] classes = Classes[random.Next(Classes.Length)];
        var rows = new List<string[]>();
        int count = random.Next(classes.Length, 12);
        // Every class is there, so that plain numbers stay the classes' numbers.
        for (int i = 0; i < count; i++) rows.Add([.. columns.Select(column => column == "label" ? classes[i < classes.Length ? i : random.Next(classes.Length)] : Text())]);
        return (columns, rows);
    }

    private string Text() => string.Concat(Enumerable.Range(0, random.Next(0, 6)).Select(_ => Pieces[random.Next(Pieces.Length)]));

    private int[] Shuffled(int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        random.Shuffle(order);
        return order;
    }
}
