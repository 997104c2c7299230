namespace LoRA2.Native.Tokenizers;

/// <summary>Byte-level BPE's spaces before words are taken off the tokens' places.</summary>
/// <param name="HasPrefixSpace">Whether the first token's space was put before the text, and is none of it.</param>
/// <param name="WordsHaveSpaces">Whether words that are given one by one are encoded with a space before, as RoBERTa's tokenizer demands it.</param>
internal sealed record OffsetTrimming(bool HasPrefixSpace, bool WordsHaveSpaces)
{
    /// <summary>A token's place without its spaces, by the rule of the Rust tokenizers.</summary>
    public (int Start, int End) Trim(string token, int index, int start, int end)
    {
        static bool IsSpace(char c) => c == 'Ġ' || char.IsWhiteSpace(c);
        var (leading, trailing) = (0, 0);
        while (leading < token.Length && IsSpace(token[leading]))
            leading++;
        while (trailing < token.Length && IsSpace(token[^(trailing + 1)]))
            trailing++;
        if (leading > 0)
            start = Math.Min(start + (HasPrefixSpace && (index == 0 || start == 0) ? 0 : leading), end);
        if (trailing > 0 && end >= trailing)
            end = Math.Max(end - trailing, start);
        return (start, end);
    }
}
