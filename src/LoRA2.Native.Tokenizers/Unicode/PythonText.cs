using System.Text;

namespace LoRA2.Native.Tokenizers.Unicode;

/// <summary>Python's <c>str</c> methods, where the tokenizers' results hang on them.</summary>
internal static class PythonText
{
    /// <summary><c>str.isspace</c>: White_Space and the four information separators.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';

    /// <summary><c>str.strip</c> on the left.</summary>
    public static string TrimStart(string text)
    {
        var start = 0;
        while (start < text.Length && IsSpace(text[start]))
            start++;
        return text[start..];
    }

    /// <summary><c>str.strip</c> on the right.</summary>
    public static string TrimEnd(string text)
    {
        var end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
            end--;
        return text[..end];
    }

    /// <summary>Appends <c>chr(codePoint).lower()</c>, the full mapping of one character.</summary>
    public static void AppendLower(CharBuffer output, int codePoint)
    {
        if (codePoint < 0x80)
            output.Append(codePoint is >= 'A' and <= 'Z' ? (char)(codePoint | 0x20) : (char)codePoint);
        else if (codePoint == 0x130)
            output.Append("i\u0307");
        else
            output.AppendCodePoint(Lower(codePoint));
    }

    private static int Lower(int codePoint)
    {
        // Code points that Unicode 14 leaves unassigned have no case; newer runtimes may know one.
        if (CodePoint.IsSurrogate(codePoint) || UnicodeTables.PythonClasses[codePoint] == (byte)CharClass.Control)
            return codePoint;
        return codePoint < 0x10000 ? char.ToLowerInvariant((char)codePoint) : Rune.ToLowerInvariant(new Rune(codePoint)).Value;
    }

    /// <summary>Whether lower-casing changes the text.</summary>
    public static bool HasUpper(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length;)
        {
            var c = CodePoint.Next(text, ref i);
            if (c == 0x130 || Lower(c) != c)
                return true;
        }

        return false;
    }
}
