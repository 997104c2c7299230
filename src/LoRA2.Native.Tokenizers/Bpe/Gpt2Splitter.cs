using System.Globalization;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Bpe;

/// <summary>
/// GPT-2's division of a text into words, by hand: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal static class Gpt2Splitter
{
    private static readonly byte[] Classes = new byte[0x10000];

    static Gpt2Splitter()
    {
        for (var c = 0; c < Classes.Length; c++)
            Classes[c] = (byte)Classify(c);
    }

    private enum Kind : byte
    {
        Other,
        Letter,
        Number,
        Space,
    }

    /// <summary>The end of the word that begins at <paramref name="start"/>.</summary>
    public static int WordEnd(ReadOnlySpan<char> text, int start)
    {
        var c = text[start];
        if (c == '\'' && Contraction(text[(start + 1)..]) is var length and > 0)
            return start + 1 + length;
        var kind = KindAt(text, start, out var width);
        var i = start + width;
        if (kind == Kind.Space)
        {
            if (c != ' ' || i == text.Length || KindAt(text, i, out width) is var next && next == Kind.Space)
                return SpaceEnd(text, start);
            kind = next;
            i += width;
        }

        while (i < text.Length && KindAt(text, i, out width) == kind)
            i += width;
        return i;
    }

    /// <summary>A run of white space, without its last character where a word follows, unless it has only one.</summary>
    private static int SpaceEnd(ReadOnlySpan<char> text, int start)
    {
        var i = start + 1;
        while (i < text.Length && Classes[text[i]] == (byte)Kind.Space)
            i++;
        return i == text.Length || i == start + 1 ? i : i - 1;
    }

    private static int Contraction(ReadOnlySpan<char> rest)
    {
        if (rest.IsEmpty)
            return 0;
        return rest[0] switch
        {
            's' or 't' or 'm' or 'd' => 1,
            'r' or 'v' when rest.Length > 1 && rest[1] == 'e' => 2,
            'l' when rest.Length > 1 && rest[1] == 'l' => 2,
            _ => 0,
        };
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int index, out int width)
    {
        var c = text[index];
        width = 1;
        if (!char.IsSurrogate(c))
            return (Kind)Classes[c];
        var end = index;
        var codePoint = CodePoint.Next(text, ref end);
        width = end - index;
        return Classify(codePoint);
    }

    private static Kind Classify(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        <= UnicodeCategory.OtherLetter => Kind.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
        _ => codePoint < 0x10000 && char.IsWhiteSpace((char)codePoint) ? Kind.Space : Kind.Other,
    };
}
