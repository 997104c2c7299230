namespace LoRA2.Native.Tokenizers.Bpe;

/// <summary>GPT-2's printable character for each byte: itself where Latin-1 prints it, else U+0100 and on.</summary>
internal static class ByteAlphabet
{
    private static readonly int[] Bytes = new int[0x200];

    static ByteAlphabet()
    {
        Array.Fill(Bytes, -1);
        var extra = 0x100;
        for (var b = 0; b < 256; b++)
        {
            var printable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            Chars[b] = printable ? (char)b : (char)extra++;
            Bytes[Chars[b]] = b;
        }
    }

    /// <summary>The character of each byte, [256].</summary>
    public static char[] Chars { get; } = new char[256];

    /// <summary>The byte of a character, or -1.</summary>
    public static int ByteOf(char c) => c < Bytes.Length ? Bytes[c] : -1;
}
