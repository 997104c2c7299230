using System.Globalization;

namespace LoRA2.Native.Data.Tables;

/// <summary>What quotes in a tab-separated file are.</summary>
internal enum TsvQuotes
{
    /// <summary>Text, as GLUE's files have them; or there are none.</summary>
    Text,

    /// <summary>Quoting, as pandas and others write it.</summary>
    Quoting,

    /// <summary>Either: every field that has a quote is quoted whole, but none had to be.</summary>
    Doubtful,
}

/// <summary>
/// Tells quotes that are text from quoting. It is quoting when every field with a quote is quoted whole with the quotes in it doubled, and either each of these fields
/// had to be (it holds a quote, a tab or a line end: pandas' default) or every field that is no number is quoted, the header's too (R's default, and pandas' QUOTE_NONNUMERIC).
/// </summary>
internal static class TsvQuoting
{
    public static TsvQuotes Of(IReadOnlyList<(int Number, string Text)> lines)
    {
        if (!lines.Any(line => line.Text.Contains('"', StringComparison.Ordinal))) return TsvQuotes.Text;
        bool allNeeded = true, allQuoted = true;
        int columns = 0, count = 1;
        string text = string.Join('\n', lines.Select(line => line.Text)) + "\n";
        for (int at = 0; at < text.Length;)
        {
            if (text[at] != '"')
            {
                int end = text.AsSpan(at).IndexOfAny('\t', '\n') + at;
                ReadOnlySpan<char> plain = text.AsSpan(at, end - at);
                if (plain.Contains('"')) return TsvQuotes.Text;
                bool emptyLine = plain.IsEmpty && text[end] == '\n' && count == 1;
                allQuoted &= emptyLine || plain.IsEmpty || double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out _);
                if (emptyLine)
                {
                    at = end + 1;
                    continue;
                }

                at = end;
            }
            else
            {
                int end = Close(text, at + 1, out bool needed);
                if (end < 0) return TsvQuotes.Text;
                allNeeded &= needed;
                at = end;
            }

            if (text[at++] == '\t')
            {
                count++;
                continue;
            }

            if (columns == 0) columns = count;
            else if (count != columns) return TsvQuotes.Text;
            count = 1;
        }

        return allNeeded || allQuoted ? TsvQuotes.Quoting : TsvQuotes.Doubtful;
    }

    /// <summary>The place after a field's closing quote, where a tab or line end is; −1 when the quotes are not paired so.</summary>
    private static int Close(string text, int at, out bool needed)
    {
        needed = false;
        while (true)
        {
            int quote = text.IndexOf('"', at);
            if (quote < 0) return -1;
            needed |= text.AsSpan(at, quote - at).ContainsAny('\t', '\n', '\r');
            char next = quote + 1 < text.Length ? text[quote + 1] : '\0';
            if (next is '\t' or '\n') return quote + 1;
            if (next != '"') return -1;
            needed = true;
            at = quote + 2;
        }
    }
}
