using System.Globalization;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>Characters as the Rust tokenizers and their regular expressions class them.</summary>
internal static class RustText
{
    /// <summary>General category M*.</summary>
    public static bool IsMark(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    /// <summary><c>char::is_numeric</c>: general category N*.</summary>
    public static bool IsNumeric(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint)
        is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    /// <summary>White_Space.</summary>
    public static bool IsWhiteSpace(int codePoint) => codePoint < 0x10000 && char.IsWhiteSpace((char)codePoint);

    /// <summary><c>\w</c>: alphabetic, marks, decimal digits, connector punctuation, joiners.</summary>
    public static bool IsWord(int codePoint)
    {
        var category = CharUnicodeInfo.GetUnicodeCategory(codePoint);
        return category is <= UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation
            || codePoint is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149)
                or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);
    }

    /// <summary>Whether a text ends with a <c>\w</c>.</summary>
    public static bool EndsWithWord(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
            return false;
        var i = text.Length > 1 && char.IsLowSurrogate(text[^1]) ? text.Length - 2 : text.Length - 1;
        return IsWord(CodePoint.Next(text, ref i));
    }

    /// <summary>Whether a text begins with a <c>\w</c>.</summary>
    public static bool StartsWithWord(ReadOnlySpan<char> text)
    {
        var i = 0;
        return !text.IsEmpty && IsWord(CodePoint.Next(text, ref i));
    }
}
