using System.Buffers.Binary;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;

namespace LoRA2.Native.Onnx;

/// <summary>Reads ONNX's <c>TensorProto</c>.</summary>
internal static class TensorFields
{
    private const int MostExtents = 64;

    /// <summary>Reads one tensor.</summary>
    /// <exception cref="InputException">Its shape is none, or its elements are not as many as its shape says.</exception>
    public static OnnxTensor Read(string path, ProtobufFields fields)
    {
        List<long> extents = [], integers = [];
        string name = "";
        (int type, bool isExternal, int floats) = (0, false, 0);
        ReadOnlyMemory<byte>? raw = null;
        using var numbers = new MemoryStream();
        var external = new Dictionary<string, string>(StringComparer.Ordinal);
        while (fields.Next())
        {
            switch (fields.Number)
            {
                case 1:
                    fields.AddIntegers(extents);
                    break;
                case 2:
                    type = (int)fields.Integer;
                    break;
                case 4:
                case 10:
                    AddFloats(fields, numbers, fields.Number == 4 ? 4 : 8);
                    floats = fields.Number;
                    break;
                case 5:
                case 7:
                case 11:
                    fields.AddIntegers(integers);
                    break;
                case 8:
                    name = fields.Text;
                    break;
                case 9:
                    raw = fields.Bytes;
                    break;
                case 13:
                    Pair(fields.Message, external);
                    break;
                case 14:
                    isExternal = fields.Integer == 1;
                    break;
            }
        }

        SafetensorsDType? elements = TypeOf(type);
        long bytes = SizeOf(path, name, extents, elements);
        var tensor = new OnnxTensor(path, name, elements, [.. extents], default, null);
        if (elements is not { } known) return tensor;
        if (isExternal)
        {
            string? Of(string key) => external.GetValueOrDefault(key);
            return tensor with
            {
                External = new ExternalData(
                    Of("location") ?? "",
                    Of("offset") is { } offset ? OnnxReader.Number(path, name, "offset", offset) : 0,
                    Of("length") is { } length ? OnnxReader.Number(path, name, "length", length) : null),
            };
        }

        // Floats are kept as the file has them; 16-bit floats without raw bytes are kept as whole numbers of their bits.
        ReadOnlyMemory<byte> data = raw ?? (floats == (known == SafetensorsDType.F64 ? 10 : 4) && known is SafetensorsDType.F32 or SafetensorsDType.F64 ? numbers.ToArray() : Narrow(integers, known));
        if (data.Length != bytes) throw new InputException($"{path}: tensor {Quote.Name(name)} {tensor.ShapeText} has {data.Length} bytes of {known.FormatName()}; {bytes} were expected");
        return tensor with { Bytes = data };
    }

    /// <summary>The number or numbers that a Constant node has without a tensor.</summary>
    public static OnnxTensor Of(string path, string attribute, OnnxAttribute value, List<long> integers)
    {
        if (attribute == "value_float")
        {
            byte[] bits = new byte[4];
            BinaryPrimitives.WriteSingleLittleEndian(bits, value.Float);
            return new OnnxTensor(path, "", SafetensorsDType.F32, [], bits, null);
        }

        List<long> numbers = attribute == "value_int" ? [value.Integer] : integers;
        return new OnnxTensor(path, "", SafetensorsDType.I64, attribute == "value_int" ? [] : [numbers.Count], Narrow(numbers, SafetensorsDType.I64), null);
    }

    private static SafetensorsDType? TypeOf(int type) => type switch
    {
        1 => SafetensorsDType.F32,
        2 => SafetensorsDType.U8,
        3 => SafetensorsDType.I8,
        4 => SafetensorsDType.U16,
        5 => SafetensorsDType.I16,
        6 => SafetensorsDType.I32,
        7 => SafetensorsDType.I64,
        9 => SafetensorsDType.Bool,
        10 => SafetensorsDType.F16,
        11 => SafetensorsDType.F64,
        12 => SafetensorsDType.U32,
        13 => SafetensorsDType.U64,
        16 => SafetensorsDType.BF16,
        _ => null,
    };

    private static long SizeOf(string path, string name, List<long> extents, SafetensorsDType? type)
    {
        if (extents.Count > MostExtents) throw new InputException($"{path}: tensor {Quote.Name(name)} has {extents.Count} extents; at most {MostExtents} were expected");
        long bytes = type?.Size() ?? 1;
        foreach (long extent in extents)
        {
            if (extent < 0 || (extent > 0 && bytes > long.MaxValue / 2 / extent))
                throw new InputException($"{path}: tensor {Quote.Name(name)} has the extent {extent}; the extents of a tensor that fits in memory were expected");
            bytes *= extent;
        }

        return bytes;
    }

    private static void AddFloats(ProtobufFields fields, MemoryStream numbers, int size)
    {
        if (fields.HasLength)
        {
            numbers.Write(fields.Bytes.Span);
            return;
        }

        Span<byte> bits = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bits, fields.Bits);
        numbers.Write(bits[..size]);
    }

    private static byte[] Narrow(List<long> numbers, SafetensorsDType type)
    {
        int size = type.Size();
        byte[] bytes = new byte[(long)numbers.Count * size];
        Span<byte> bits = stackalloc byte[8];
        for (int i = 0; i < numbers.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bits, numbers[i]);
            bits[..size].CopyTo(bytes.AsSpan(i * size));
        }

        return bytes;
    }

    private static void Pair(ProtobufFields fields, Dictionary<string, string> pairs)
    {
        (string key, string value) = ("", "");
        while (fields.Next())
        {
            if (fields.Number == 1) key = fields.Text;
            else if (fields.Number == 2) value = fields.Text;
        }

        pairs[key] = value;
    }
}
