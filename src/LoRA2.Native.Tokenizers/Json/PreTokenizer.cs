using LoRA2.Native.Tokenizers.Bpe;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>One step of a tokenizer.json's pre-tokenizer.</summary>
internal abstract class PreTokenizer
{
    /// <summary>Appends what becomes of one piece.</summary>
    public abstract void Apply(ReadOnlySpan<char> piece, bool atStart, Splits output);
}

/// <summary>Splits at a pattern.</summary>
internal sealed class SplitPreTokenizer(SplitPattern pattern, SplitBehavior behavior, bool invert) : PreTokenizer
{
    public override void Apply(ReadOnlySpan<char> piece, bool atStart, Splits output) =>
        pattern.Divide(piece, behavior, invert, atStart, output);
}

/// <summary>Writes spaces as a visible character, puts one in front as the scheme says, and splits before each.</summary>
internal sealed class MetaspacePreTokenizer(char replacement, MetaspacePreTokenizer.Scheme scheme, bool split) : PreTokenizer
{
    /// <summary>Which pieces get the character in front.</summary>
    public enum Scheme
    {
        Always,
        First,
        Never,
    }

    public override void Apply(ReadOnlySpan<char> piece, bool atStart, Splits output)
    {
        var begins = piece[0] is ' ' || piece[0] == replacement;
        if (!begins && (scheme == Scheme.Always || (scheme == Scheme.First && atStart)))
        {
            output.Text.From(0, char.IsHighSurrogate(piece[0]) && piece.Length > 1 ? 2 : 1);
            output.Text.Append(replacement);
        }

        var first = atStart;
        for (var i = 0; i < piece.Length; i++)
        {
            var meta = piece[i] is ' ' || piece[i] == replacement;
            if (meta && split)
            {
                output.Close(first);
                first = first && i == 0;
            }

            // Both halves of a surrogate pair belong to the whole.
            var (from, to) = (i, i + 1);
            if (char.IsLowSurrogate(piece[i]) && i > 0)
                from--;
            else if (char.IsHighSurrogate(piece[i]) && to < piece.Length)
                to++;
            output.Text.From(from, to);
            output.Text.Append(meta ? replacement : piece[i]);
        }

        output.Close(first);
    }
}

/// <summary>Writes bytes as characters, after splitting into GPT-2's words where asked.</summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex) : PreTokenizer
{
    public override void Apply(ReadOnlySpan<char> piece, bool atStart, Splits output)
    {
        var added = addPrefixSpace && piece[0] != ' ' ? 1 : 0;
        if (added > 0)
            piece = string.Concat(" ", piece);
        Span<byte> bytes = stackalloc byte[256];
        for (var start = 0; start < piece.Length;)
        {
            var end = useRegex ? Gpt2Splitter.WordEnd(piece, start) : piece.Length;
            for (var i = start; i < end;)
            {
                var take = Math.Min(64, end - i);
                if (output.Text.Origins is not null)
                {
                    take = char.IsHighSurrogate(piece[i]) && i + 1 < end ? 2 : 1;
                    // The space that was put before belongs to the first character.
                    output.Text.From(Math.Max(0, i - added), Math.Max(i + take - added, 1));
                }
                else if (take < end - i && char.IsHighSurrogate(piece[i + take - 1]))
                {
                    take--;
                }

                var count = System.Text.Encoding.UTF8.GetBytes(piece.Slice(i, take), bytes);
                foreach (var b in bytes[..count])
                    output.Text.Append(ByteAlphabet.Chars[b]);
                i += take;
            }

            output.Close(atStart && start == 0);
            start = end;
        }
    }
}
