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
        for (var i = 0; i < text.Length;)
        {
            var c = text[i];
            if (c < 128 && _plain[c] && (i + 1 == text.Length || text[i + 1] < 128))
            {
                output.Append(c);
                i++;
                continue;
            }

            var length = StringInfo.GetNextTextElementLength(text[i..]);
            var grapheme = text.Slice(i, length);
            i += length;
            if (length < 6 && Encoding.UTF8.GetByteCount(grapheme) is < 6 and var bytes)
            {
                Encoding.UTF8.GetBytes(grapheme, utf8);
                if (Transform(utf8[..bytes], output))
                    continue;
            }

            for (var j = 0; j < grapheme.Length;)
            {
                var start = j;
                CodePoint.Next(grapheme, ref j);
                var size = Encoding.UTF8.GetBytes(grapheme[start..j], utf8);
                if (!Transform(utf8[..size], output))
                    output.Append(grapheme[start..j]);
            }
        }
    }

    private bool Transform(ReadOnlySpan<byte> chunk, CharBuffer output)
    {
        if (_map.MatchShortest(chunk, out var replacement) == 0)
            return false;
        output.Append(Encoding.UTF8.GetString(replacement));
        return true;
    }
}
