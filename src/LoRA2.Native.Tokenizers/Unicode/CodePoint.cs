using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tokenizers.Unicode;

/// <summary>Walks UTF-16 by code points; a lone surrogate is a code point of its own, as in a Python string.</summary>
internal static class CodePoint
{
    /// <summary>The code point at <paramref name="index"/>, which moves past it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Next(ReadOnlySpan<char> text, ref int index)
    {
        var c = text[index++];
        if (char.IsHighSurrogate(c) && index < text.Length && char.IsLowSurrogate(text[index]))
            return char.ConvertToUtf32(c, text[index++]);
        return c;
    }

    /// <summary>How many code points <paramref name="text"/> has.</summary>
    public static int Count(ReadOnlySpan<char> text)
    {
        var count = 0;
        for (var i = 0; i < text.Length; count++)
            Next(text, ref i);
        return count;
    }

    /// <summary>Whether it is a surrogate, thus not a Unicode scalar value.</summary>
    public static bool IsSurrogate(int codePoint) => codePoint is >= 0xD800 and <= 0xDFFF;
}
