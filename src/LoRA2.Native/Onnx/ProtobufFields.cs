using System.Buffers.Binary;
using System.Text;
using LoRA2.Native.Files;

namespace LoRA2.Native.Onnx;

/// <summary>
/// Goes through the fields of one protobuf message (https://protobuf.dev/programming-guides/encoding). A nested message is a slice of its parent's bytes, so that nothing
/// reaches past its parent's end whatever lengths the file claims, and a tensor's bytes are a view of the file; Google.Protobuf's own reader copies them.
/// </summary>
internal struct ProtobufFields(string path, ReadOnlyMemory<byte> message)
{
    private int position;

    /// <summary>The number of the field that <see cref="Next"/> found.</summary>
    public int Number { get; private set; }

    /// <summary>Its value where that is a number: a varint, or the bits of four or eight bytes.</summary>
    public ulong Bits { get; private set; }

    /// <summary>Its value where that has a length: a string, bytes, a message, or packed numbers.</summary>
    public ReadOnlyMemory<byte> Bytes { get; private set; }

    /// <summary>Whether the value has a length.</summary>
    public bool HasLength { get; private set; }

    /// <summary>Its value as a signed number.</summary>
    public readonly long Integer => (long)Bits;

    /// <summary>Its value as a single-precision number.</summary>
    public readonly float Float => BitConverter.UInt32BitsToSingle((uint)Bits);

    /// <summary>Its value as text.</summary>
    /// <exception cref="InputException">It is not UTF-8.</exception>
    public readonly string Text
    {
        get
        {
            try
            {
                return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Bytes.Span);
            }
            catch (ArgumentException e)
            {
                throw new InputException($"{path}: a name is not valid UTF-8; an ONNX model was expected", e);
            }
        }
    }

    /// <summary>Its value as a message.</summary>
    public readonly ProtobufFields Message => HasLength ? new(path, Bytes) : throw Damaged($"field {Number} is a number where a message was expected");

    /// <summary>Goes on to the next field.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="InputException">The bytes are no fields.</exception>
    public bool Next()
    {
        if (position == message.Length) return false;
        ulong tag = Varint();
        if (tag >> 3 is 0 or > int.MaxValue) throw Damaged($"a field has the number {tag >> 3}");
        Number = (int)(tag >> 3);
        (Bits, Bytes, HasLength) = (0, default, false);
        switch (tag & 7)
        {
            case 0:
                Bits = Varint();
                break;
            case 1:
                Bits = BinaryPrimitives.ReadUInt64LittleEndian(Take(8).Span);
                break;
            case 2:
                HasLength = true;
                Bytes = Take(Varint());
                break;
            case 5:
                Bits = BinaryPrimitives.ReadUInt32LittleEndian(Take(4).Span);
                break;
            default:
                throw Damaged($"field {Number} has the wire type {tag & 7}");
        }

        return true;
    }

    /// <summary>Adds the whole numbers of a repeated field, packed or one of them.</summary>
    /// <exception cref="InputException">The bytes are no numbers.</exception>
    public readonly void AddIntegers(List<long> numbers)
    {
        if (!HasLength)
        {
            numbers.Add(Integer);
            return;
        }

        var packed = new ProtobufFields(path, Bytes);
        while (packed.position < Bytes.Length) numbers.Add((long)packed.Varint());
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (position == message.Length) throw Damaged("it ends within a number");
            byte next = message.Span[position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }

        throw Damaged("a number has more than 64 bits");
    }

    private ReadOnlyMemory<byte> Take(ulong length)
    {
        int left = message.Length - position;
        if (length > (ulong)left) throw Damaged($"a field claims {length} bytes where {left} are left");
        ReadOnlyMemory<byte> taken = message.Slice(position, (int)length);
        position += (int)length;
        return taken;
    }

    private readonly InputException Damaged(string what) => new($"{path}: not a whole ONNX model: {what}");
}
