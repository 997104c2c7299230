using System.Text;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.SentencePiece;

/// <summary>
/// Where each byte of a normalized text came from, in characters of the user's text, as the Rust tokenizers have it that HuggingFace makes of a SentencePiece model: of what stands for
/// several characters the first belong to the first, one by one, and what more there is to the last.
/// </summary>
internal sealed class NormalizedPlaces
{
    // Each character's place, and the character that each byte is of.
    private readonly List<(int Start, int End)> _chars = [];
    private readonly List<int> _charOf = [];
    private readonly List<bool> _isSpace;
    private int _skipped = -1;
    private int _prefix;
    private int _lost;
    private bool _begun;

    /// <param name="text">The text that is normalized.</param>
    /// <param name="origins">Where the characters of the text that it is a stretch of came from; null when they are the user's own.</param>
    /// <param name="start">Where it begins among them.</param>
    public NormalizedPlaces(ReadOnlySpan<char> text, Alignment? origins, int start)
    {
        _isSpace = [.. text.ToString().EnumerateRunes().Select(Rune.IsWhiteSpace)];
        for (var i = 0; i < text.Length;)
        {
            var from = i;
            CodePoint.Next(text, ref i);
            for (var bytes = Encoding.UTF8.GetByteCount(text[from..i]); bytes > 0; bytes--)
                _charOf.Add(_chars.Count);
            _chars.Add(origins?.Of(start + from, start + i) ?? (start + from, start + i));
        }
    }

    /// <summary>A place for each byte.</summary>
    public Alignment Places { get; } = new();

    /// <summary>Says that bytes before the text were skipped, which stand for a space.</summary>
    public void Skip(int at, int length)
    {
        // White space is stripped; what only becomes a space, as U+FEFF does, and what follows it, is the space before the first word.
        if (_skipped >= 0 || !_isSpace[_charOf[at]])
            _skipped = _charOf[at + length - 1];
    }

    /// <summary>Adds the space that is put before the text: it belongs to its first character that is kept, or is one that was skipped.</summary>
    public void AddPrefix(int count, int at)
    {
        _prefix = _skipped < 0 ? count : 0;
        Append(count, _skipped < 0 ? _charOf[at] : _skipped);
    }

    /// <summary>Adds what stands for some bytes of the text.</summary>
    /// <param name="made">It, in UTF-8.</param>
    /// <param name="spaceLength">Bytes that a space in it is written with.</param>
    /// <param name="at">The first of those bytes.</param>
    /// <param name="length">Their number.</param>
    public void Add(ReadOnlySpan<byte> made, int spaceLength, int at, int length)
    {
        var (source, last) = (_charOf[at], _charOf[at + length - 1]);
        if (!_begun)
        {
            var place = Of(source);
            for (var i = 0; i < _prefix; i++)
                Places.Replace(i, place.Start, place.End);
            _begun = true;
        }

        for (var i = 0; i < made.Length; source = Math.Min(source + 1, last))
        {
            var bytes = Utf8.SequenceLength(made[i]);
            Append(made[i] == ' ' ? spaceLength : bytes, source);
            i += bytes;
        }
    }

    /// <summary>Says that the last bytes, a space, stand for another space that follows.</summary>
    public void Move(int count, int at, int length)
    {
        var place = Of(_charOf[at + length - 1]);
        for (var i = Places.Count - count; i < Places.Count; i++)
            Places.Replace(i, place.Start, place.End);
    }

    /// <summary>Says that bytes were removed. Of those before the first that is kept the Rust implementation loses count: it takes all that follow for those so many characters before them.</summary>
    public void Lose(int at, int length)
    {
        if (!_begun)
            _lost += _charOf[at + length - 1] - _charOf[at] + 1;
    }

    private void Append(int count, int source)
    {
        var place = Of(source);
        for (; count > 0; count--)
            Places.Add(place.Start, place.End);
    }

    private (int Start, int End) Of(int source) => _chars[Math.Max(0, source - _lost)];
}
