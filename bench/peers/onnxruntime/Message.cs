using Google.Protobuf;

namespace LoRA2.Native.Peers.Onnx;

/// <summary>A protobuf message as its fields, those that nobody looks at included, in their order: enough to change a graph without ONNX's classes.</summary>
internal sealed class Message
{
    private readonly List<(int Field, WireFormat.WireType Type, ulong Number, ByteString Bytes)> fields = [];

    public static Message Parse(ByteString bytes)
    {
        var message = new Message();
        CodedInputStream input = bytes.CreateCodedInput();
        while (input.ReadTag() is not 0 and var tag)
        {
            WireFormat.WireType type = WireFormat.GetTagWireType(tag);
            (ulong number, ByteString value) = type switch
            {
                WireFormat.WireType.Varint => (input.ReadUInt64(), ByteString.Empty),
                WireFormat.WireType.Fixed64 => (input.ReadFixed64(), ByteString.Empty),
                WireFormat.WireType.Fixed32 => (input.ReadFixed32(), ByteString.Empty),
                WireFormat.WireType.LengthDelimited => (0UL, input.ReadBytes()),
                _ => throw new InvalidDataException($"a field of wire type {type}"),
            };
            message.fields.Add((WireFormat.GetTagFieldNumber(tag), type, number, value));
        }

        return message;
    }

    public IEnumerable<ByteString> All(int field) => fields.Where(entry => entry.Field == field && entry.Type == WireFormat.WireType.LengthDelimited).Select(entry => entry.Bytes);

    public IEnumerable<string> Texts(int field) => All(field).Select(bytes => bytes.ToStringUtf8());

    public string Text(int field) => Texts(field).FirstOrDefault("");

    /// <summary>Integers, packed or not.</summary>
    public long[] Numbers(int field)
    {
        var numbers = new List<long>();
        foreach ((int number, WireFormat.WireType type, ulong value, ByteString bytes) in fields)
        {
            if (number != field) continue;
            if (type == WireFormat.WireType.Varint) numbers.Add((long)value);
            else if (type == WireFormat.WireType.LengthDelimited) for (CodedInputStream input = bytes.CreateCodedInput(); !input.IsAtEnd;) numbers.Add(input.ReadInt64());
        }

        return [.. numbers];
    }

    public Message Add(int field, string text) => Add(field, ByteString.CopyFromUtf8(text));

    public Message Add(int field, Message message) => Add(field, message.ToByteString());

    public Message Add(int field, ByteString bytes)
    {
        fields.Add((field, WireFormat.WireType.LengthDelimited, 0, bytes));
        return this;
    }

    public Message Add(int field, long number)
    {
        fields.Add((field, WireFormat.WireType.Varint, (ulong)number, ByteString.Empty));
        return this;
    }

    public Message Without(int field)
    {
        fields.RemoveAll(entry => entry.Field == field);
        return this;
    }

    public ByteString ToByteString()
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            foreach ((int field, WireFormat.WireType type, ulong number, ByteString bytes) in fields)
            {
                output.WriteTag(field, type);
                if (type == WireFormat.WireType.LengthDelimited) output.WriteBytes(bytes);
                else if (type == WireFormat.WireType.Varint) output.WriteUInt64(number);
                else if (type == WireFormat.WireType.Fixed32) output.WriteFixed32((uint)number);
                else output.WriteFixed64(number);
            }
        }

        stream.Position = 0;
        return ByteString.FromStream(stream);
    }
}
