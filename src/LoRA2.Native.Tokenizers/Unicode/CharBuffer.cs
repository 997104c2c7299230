using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tokenizers.Unicode;

/// <summary>A growing run of UTF-16 that is used again and again, and that remembers where its characters came from when it is told to.</summary>
internal sealed class CharBuffer
{
    private readonly Alignment _origins = new();
    private char[] _chars = new char[256];
    private bool _follows;
    private Alignment? _input;
    private int _inputStart;
    private (int Start, int End) _source;

    public int Length { get; private set; }

    public ReadOnlySpan<char> Span => _chars.AsSpan(0, Length);

    /// <summary>Where the characters came from, or null when nobody asked.</summary>
    public Alignment? Origins => _follows ? _origins : null;

    public void Clear()
    {
        Length = 0;
        _origins.Clear();
    }

    public void Truncate(int length)
    {
        Length = length;
        if (_follows)
            _origins.Truncate(length);
    }

    /// <summary>Remembers from now on, or not.</summary>
    /// <param name="follows">Whether to.</param>
    /// <param name="input">Where the characters of the text that is read came from; null when they are the user's own.</param>
    /// <param name="inputStart">Where that text begins among them.</param>
    public void Follow(bool follows, Alignment? input, int inputStart) => (_follows, _input, _inputStart) = (follows, input, inputStart);

    /// <summary>Reads another text from now on; returns what was read before.</summary>
    public (Alignment? Input, int Start) Read(Alignment? input, int inputStart)
    {
        var before = (_input, _inputStart);
        (_input, _inputStart) = (input, inputStart);
        return before;
    }

    /// <summary>Says that what is appended next is made of these characters of the text that is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void From(int start, int end)
    {
        if (_follows)
            _source = _input?.Of(_inputStart + start, _inputStart + end) ?? (_inputStart + start, _inputStart + end);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(char c)
    {
        if (Length == _chars.Length)
            Array.Resize(ref _chars, 2 * _chars.Length);
        _chars[Length++] = c;
        if (_follows)
            _origins.Add(_source.Start, _source.End);
    }

    public void AppendCodePoint(int codePoint)
    {
        if (codePoint < 0x10000)
        {
            Append((char)codePoint);
            return;
        }

        Append((char)(0xD7C0 + (codePoint >> 10)));
        Append((char)(0xDC00 + (codePoint & 0x3FF)));
    }

    /// <summary>Appends text that is made of the characters named last, all of it of all of them.</summary>
    public void Append(ReadOnlySpan<char> text)
    {
        if (Length + text.Length > _chars.Length)
            Array.Resize(ref _chars, Math.Max(2 * _chars.Length, Length + text.Length));
        text.CopyTo(_chars.AsSpan(Length));
        Length += text.Length;
        for (var i = 0; _follows && i < text.Length; i++)
            _origins.Add(_source.Start, _source.End);
    }

    /// <summary>Appends characters of the text that is read, as they are.</summary>
    /// <param name="text">The characters.</param>
    /// <param name="start">Where they begin in the text that is read.</param>
    public void Copy(ReadOnlySpan<char> text, int start)
    {
        if (!_follows)
        {
            Append(text);
            return;
        }

        for (var i = 0; i < text.Length;)
        {
            var from = i;
            CodePoint.Next(text, ref i);
            From(start + from, start + i);
            Append(text[from..i]);
        }
    }
}
