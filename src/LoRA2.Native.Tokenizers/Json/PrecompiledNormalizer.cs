using System.Globalization;
using System.Text;
using LoRA2.Native.Tokenizers.SentencePiece;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>
/// A SentencePiece character map as the Rust tokenizers apply it: to each grapheme below 6 bytes, else to each of its characters,
/// replacing the whole by what the shortest rule at its beginning says.
/// </summary>
internal sealed class PrecompiledNormalizer : Normalizer
{
    private readonly PrecompiledCharsMap _map;
    private readonly bool[] _plain = new bool[128];

    public PrecompiledNormalizer(PrecompiledCharsMap map)
    {
        _map = map;
        for (var c = 0; c < 128; c++)
            _plain[c] = c is not ('\r' or '\n') && map.MatchShortest([(byte)c], out _) == 0;
    }

    public override void Append(ReadOnlySpan<char> text, CharBuffer output)
    {
        Span<byte> utf8 = stackalloc byte[16];
        var start = output.Length;
        var lost = 0;
        for (var i = 0; i < text.Length;)
        {
            var c = text[i];
            if (c < 128 && _plain[c] && (i + 1 == text.Length || text[i + 1] < 128))
            {
                From(output, text, i, i + 1, lost);
                output.Append(c);
                i++;
                continue;
            }

            var length = StringInfo.GetNextTextElementLength(text[i..]);
            var grapheme = text.Slice(i, length);
            var at = i;
            i += length;
            if (length < 6 && Encoding.UTF8.GetByteCount(grapheme) is < 6 and var bytes)
            {
                Encoding.UTF8.GetBytes(grapheme, utf8);
                if (Transform(utf8[..bytes], text, at, length, lost, output))
                {
                    if (output.Length == start)
                        lost += CodePoint.Count(grapheme);
                    continue;
                }
            }

            for (var j = 0; j < grapheme.Length;)
            {
                var from = j;
                CodePoint.Next(grapheme, ref j);
                var size = Encoding.UTF8.GetBytes(grapheme[from..j], utf8);
                if (!Transform(utf8[..size], text, at + from, j - from, lost, output))
                {
                    From(output, text, at + from, at + j, lost);
                    output.Append(grapheme[from..j]);
                }
                else if (output.Length == start)
                {
                    lost++;
                }
            }
        }
    }

    /// <summary>
    /// Says where what is appended next came from. Of characters that were removed before any was kept the Rust implementation loses count: it takes all that follow for those so many
    /// places before them.
    /// </summary>
    private static void From(CharBuffer output, ReadOnlySpan<char> text, int start, int end, int lost)
    {
        for (; lost > 0; lost--)
        {
            start -= start > 1 && char.IsLowSurrogate(text[start - 1]) ? 2 : 1;
            end -= end > 1 && char.IsLowSurrogate(text[end - 1]) ? 2 : 1;
        }

        output.From(start, end);
    }

    /// <summary>The first characters of the replacement belong to the first of the chunk, one by one; what more there is of it to the chunk's last.</summary>
    private bool Transform(ReadOnlySpan<byte> chunk, ReadOnlySpan<char> text, int at, int length, int lost, CharBuffer output)
    {
        if (_map.MatchShortest(chunk, out var replacement) == 0)
            return false;
        ReadOnlySpan<char> made = Encoding.UTF8.GetString(replacement);
        for (int i = 0, from = at, to = at; i < made.Length;)
        {
            var start = i;
            CodePoint.Next(made, ref i);
            if (to < at + length)
            {
                from = to;
                CodePoint.Next(text, ref to);
            }

            From(output, text, from, to, lost);
            output.Append(made[start..i]);
        }

        return true;
    }
}
