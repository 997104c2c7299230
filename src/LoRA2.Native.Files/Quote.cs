using System.Text;

namespace LoRA2.Native.Files;

/// <summary>Shows text from a hostile file in a one-line message: quoted, control characters replaced, cut at 80 characters.</summary>
internal static class Quote
{
    private const int Longest = 80;

    public static string Name(string text) => $"\"{Plain(text)}\"";

    /// <summary>The same without the quotes.</summary>
    public static string Plain(string text)
    {
        var quoted = new StringBuilder();
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, Longest)))
            quoted.Append(char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' ? '?' : c);
        if (text.Length > Longest) quoted.Append('…');
        return quoted.ToString();
    }
}
