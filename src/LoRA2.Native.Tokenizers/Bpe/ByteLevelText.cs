namespace LoRA2.Native.Tokenizers.Bpe;

/// <summary>The way back from byte-level tokens to text.</summary>
internal static class ByteLevelText
{
    /// <summary>The text of tokens; bytes that are not UTF-8 become U+FFFD, a token outside of the byte alphabet stays as it is.</summary>
    public static string Join(IReadOnlyList<string> tokens)
    {
        var bytes = new ByteBuffer();
        foreach (var token in tokens)
        {
            if (token.Any(c => ByteAlphabet.ByteOf(c) < 0))
            {
                bytes.Append(token);
                continue;
            }

            foreach (var c in token)
                bytes.Append((byte)ByteAlphabet.ByteOf(c));
        }

        return System.Text.Encoding.UTF8.GetString(bytes.Span);
    }
}
