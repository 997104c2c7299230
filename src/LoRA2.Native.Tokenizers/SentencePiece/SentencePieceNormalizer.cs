using System.Text;

namespace LoRA2.Native.Tokenizers.SentencePiece;

/// <summary>
/// SentencePiece's normalizer: user-defined symbols as they are, then the longest rule of the model's own character map, else the
/// character itself; spaces collapsed, trimmed and written as ▁ (U+2581), with one ▁ added before (or after) the text.
/// </summary>
internal sealed class SentencePieceNormalizer
{
    private static readonly byte[] Meta = "▁"u8.ToArray();
    private static readonly byte[] Space = " "u8.ToArray();
    private readonly SentencePieceModel _model;
    private readonly ByteTrie? _userDefined;
    private readonly bool[] _plain = new bool[256];
    private readonly byte[] _spaceSymbol;

    public SentencePieceNormalizer(SentencePieceModel model)
    {
        _model = model;
        _spaceSymbol = model.EscapeWhitespaces ? Meta : Space;
        var symbols = model.Pieces.Where(p => p.Type == PieceType.UserDefined)
            .Select((p, i) => (Encoding.UTF8.GetBytes(p.Text), i, 0f)).ToList();
        _userDefined = symbols.Count > 0 ? new ByteTrie(symbols) : null;
        for (var b = 0; b < 128; b++)
        {
            _plain[b] = b != ' ' && (_userDefined is null || _userDefined.Next(0, (byte)b) < 0)
                && !(model.CharsMap?.ConcernsAscii((byte)b) ?? false);
        }
    }

    /// <summary>Appends the normal form of <paramref name="text"/> (UTF-8) to <paramref name="output"/>, which is empty; <paramref name="places"/> is told where it came from.</summary>
    public void Normalize(ReadOnlySpan<byte> text, ByteBuffer output, NormalizedPlaces? places = null)
    {
        var skipped = 0;
        if (_model.RemoveExtraWhitespaces)
        {
            while (text.Length > 0)
            {
                var prefix = Prefix(text, out var length);
                if (!prefix.SequenceEqual(Space))
                    break;
                places?.Skip(skipped, length);
                text = text[length..];
                skipped += length;
            }
        }

        if (text.IsEmpty)
            return;
        if (_model.AddDummyPrefix && !_model.TreatWhitespaceAsSuffix)
        {
            output.Append(_spaceSymbol);
            places?.AddPrefix(_spaceSymbol.Length, skipped);
        }

        var afterSpace = _model.RemoveExtraWhitespaces;
        for (var i = 0; i < text.Length;)
        {
            var b = text[i];
            if (_plain[b] && (i + 1 == text.Length || text[i + 1] < 128))
            {
                output.Append(b);
                places?.Add(text.Slice(i, 1), 1, skipped + i, 1);
                afterSpace = false;
                i++;
                continue;
            }

            var at = skipped + i;
            var piece = Prefix(text[i..], out var length);
            i += length;
            if (afterSpace)
                piece = piece.TrimStart((byte)' ');
            if (!piece.IsEmpty)
            {
                foreach (var c in piece)
                {
                    if (c == ' ')
                        output.Append(_spaceSymbol);
                    else
                        output.Append(c);
                }

                places?.Add(piece, _spaceSymbol.Length, at, length);

                afterSpace = piece[^1] == ' ';
            }
            else if (afterSpace && output.Length > _spaceSymbol.Length)
            {
                places?.Move(_spaceSymbol.Length, at, length);
            }
            else
            {
                places?.Lose(at, length);
            }

            if (!_model.RemoveExtraWhitespaces)
                afterSpace = false;
        }

        if (_model.RemoveExtraWhitespaces)
        {
            while (output.Span.EndsWith(_spaceSymbol))
                output.Truncate(output.Length - _spaceSymbol.Length);
            places?.Places.Truncate(output.Length);
        }

        if (_model.AddDummyPrefix && _model.TreatWhitespaceAsSuffix)
        {
            output.Append(_spaceSymbol);
            places?.Add(Space, _spaceSymbol.Length, skipped + text.Length - 1, 1);
        }
    }

    /// <summary>What the beginning of <paramref name="text"/> becomes, and how many bytes of it that takes.</summary>
    private ReadOnlySpan<byte> Prefix(ReadOnlySpan<byte> text, out int length)
    {
        if (_userDefined is not null && _userDefined.LongestPrefix(text) is var symbol and > 0)
        {
            length = symbol;
            return text[..symbol];
        }

        if (_model.CharsMap is not null)
        {
            length = _model.CharsMap.MatchLongest(text, out var replacement);
            if (length > 0)
                return replacement;
        }

        // The text comes from UTF-16, so it is valid UTF-8.
        length = Utf8.SequenceLength(text[0]);
        return text[..length];
    }
}
