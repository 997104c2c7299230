using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>A text in pieces, which pre-tokenizers divide further and rewrite.</summary>
internal sealed class Splits
{
    private readonly CharBuffer _text = new();
    private readonly List<(int Start, int Length, bool AtStart)> _pieces = [];
    private int _open;

    public int Count => _pieces.Count;

    /// <summary>Where text is written before <see cref="Close"/> makes a piece of it.</summary>
    public CharBuffer Text => _text;

    public ReadOnlySpan<char> this[int index] => _text.Span.Slice(_pieces[index].Start, _pieces[index].Length);

    /// <summary>Where the piece begins in <see cref="Text"/>.</summary>
    public int StartOf(int index) => _pieces[index].Start;

    /// <summary>Whether the piece begins where the whole input does.</summary>
    public bool AtStart(int index) => _pieces[index].AtStart;

    public void Clear()
    {
        _text.Clear();
        _pieces.Clear();
        _open = 0;
    }

    /// <summary>Makes a piece of what was written since the last one; an empty one is dropped.</summary>
    public void Close(bool atStart)
    {
        if (_text.Length > _open)
            _pieces.Add((_open, _text.Length - _open, atStart));
        _open = _text.Length;
    }

    /// <summary>Adds a stretch of the text that is read.</summary>
    public void Add(ReadOnlySpan<char> piece, int start, bool atStart)
    {
        _text.Copy(piece, start);
        Close(atStart);
    }
}
