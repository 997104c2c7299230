using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tokenizers.Unicode;

/// <summary>A growing run of UTF-16 that is used again and again.</summary>
internal sealed class CharBuffer
{
    private char[] _chars = new char[256];

    public int Length { get; private set; }

    public ReadOnlySpan<char> Span => _chars.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Truncate(int length) => Length = length;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(char c)
    {
        if (Length == _chars.Length)
            Array.Resize(ref _chars, 2 * _chars.Length);
        _chars[Length++] = c;
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

    public void Append(ReadOnlySpan<char> text)
    {
        if (Length + text.Length > _chars.Length)
            Array.Resize(ref _chars, Math.Max(2 * _chars.Length, Length + text.Length));
        text.CopyTo(_chars.AsSpan(Length));
        Length += text.Length;
    }
}
