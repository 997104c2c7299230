using System.Globalization;
using System.Text;

namespace LoRA2.Native.Data.Labels;

/// <summary>A list in the text of a cell, as Python and pandas write it (<c>['a', "b"]</c>) and as JSON.</summary>
internal static class WrittenList
{
    /// <summary>Whether a cell begins and ends as a list.</summary>
    public static bool IsOne(string cell) => cell.AsSpan().Trim() is ['[', .., ']'];

    /// <summary>The items: strings in single or double quotes, numbers and truth values; null where it is something else.</summary>
    public static IReadOnlyList<string>? Read(string cell)
    {
        string text = cell.Trim();
        var items = new List<string>();
        int at = Past(text, 1);
        if (at == text.Length - 1) return items;
        while (true)
        {
            if ((text[at] is '\'' or '"' ? Quoted(text, ref at) : Plain(text, ref at)) is not { } item) return null;
            items.Add(item);
            at = Past(text, at);
            if (at == text.Length - 1) return items;
            if (at >= text.Length || text[at] != ',') return null;
            at = Past(text, at + 1);
            if (at >= text.Length - 1) return null;
        }
    }

    private static int Past(string text, int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
        return at;
    }

    private static string? Plain(string text, ref int at)
    {
        int start = at;
        while (at < text.Length - 1 && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '.' or '-' or '+')) at++;
        string word = text[start..at];
        bool isNumber = double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value);
        return isNumber || word is "true" or "false" or "True" or "False" ? word : null;
    }

    private static string? Quoted(string text, ref int at)
    {
        var item = new StringBuilder();
        char quote = text[at++];
        for (; at < text.Length - 1; at++)
        {
            if (text[at] == quote)
            {
                at++;
                return item.ToString();
            }

            if (text[at] != '\\') item.Append(text[at]);
            else if (Escaped(text, ref at) is { } escaped) item.Append(escaped);
            else return null;
        }

        return null;
    }

    /// <summary>The character of an escape, whose last character the place is then at.</summary>
    private static char? Escaped(string text, ref int at)
    {
        char kind = text[++at];
        int digits = kind switch { 'x' => 2, 'u' => 4, _ => 0 };
        if (digits == 0) return kind switch { 'n' => '\n', 't' => '\t', 'r' => '\r', '\\' or '\'' or '"' or '/' => kind, _ => null };
        if (at + digits >= text.Length || !ushort.TryParse(text.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort code)) return null;
        at += digits;
        return (char)code;
    }
}
