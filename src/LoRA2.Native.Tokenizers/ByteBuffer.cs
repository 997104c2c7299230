using System.Runtime.CompilerServices;
using System.Text;

namespace LoRA2.Native.Tokenizers;

/// <summary>A growing run of bytes that is used again and again.</summary>
internal sealed class ByteBuffer
{
    private byte[] _bytes = new byte[512];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Truncate(int length) => Length = length;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(byte b)
    {
        if (Length == _bytes.Length)
            Array.Resize(ref _bytes, 2 * _bytes.Length);
        _bytes[Length++] = b;
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(Length));
        Length += bytes.Length;
    }

    /// <summary>Appends UTF-16 as UTF-8; each lone surrogate becomes U+FFFD.</summary>
    public void Append(ReadOnlySpan<char> text)
    {
        Reserve(3 * text.Length);
        Length += Encoding.UTF8.GetBytes(text, _bytes.AsSpan(Length));
    }

    private void Reserve(int count)
    {
        if (Length + count > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, Length + count));
    }
}
