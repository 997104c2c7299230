using System.Buffers.Binary;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;

namespace LoRA2.Native.Onnx;

/// <summary>A constant of an ONNX graph, its size checked against its bytes.</summary>
/// <param name="File">The model's file, for messages.</param>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type of its elements; null: one that no weight has (text, complex, eight and four bits).</param>
/// <param name="Shape">The extents.</param>
/// <param name="Bytes">Its elements, little-endian, where the model's file has them.</param>
/// <param name="External">Where another file has them, or null.</param>
internal sealed record OnnxTensor(string File, string Name, SafetensorsDType? Type, long[] Shape, ReadOnlyMemory<byte> Bytes, ExternalData? External)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, extent) => product * extent);

    /// <summary>Whether it can be a weight.</summary>
    public bool IsFloat => Type is { } type && type.IsLoadableFloat();

    /// <summary>The extents as text.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    /// <summary>The elements, from wherever they are.</summary>
    /// <exception cref="InputException">The other file is missing or too short.</exception>
    public ReadOnlyMemory<byte> Read() => External?.Read(this) ?? Bytes;

    /// <summary>Its only element as a number, or null when it has several or is no number.</summary>
    public double? Scalar()
    {
        if (Count != 1 || External is not null || Type is not { } type) return null;
        if (type == SafetensorsDType.I64) return BinaryPrimitives.ReadInt64LittleEndian(Bytes.Span);
        if (type == SafetensorsDType.F64) return BinaryPrimitives.ReadDoubleLittleEndian(Bytes.Span);
        if (!IsFloat && type != SafetensorsDType.I32) return null;
        float value = 0;
        ElementConversion.ToFloat32(type, Bytes.Span, new Span<float>(ref value));
        return value;
    }

    /// <summary>Its elements as whole numbers, or null when they are none or more than a shape can have.</summary>
    public long[]? Integers()
    {
        if (Type != SafetensorsDType.I64 || External is not null || Count > 16) return null;
        return [.. Enumerable.Range(0, (int)Count).Select(i => BinaryPrimitives.ReadInt64LittleEndian(Bytes.Span[(8 * i)..]))];
    }
}

/// <summary>Where a tensor's bytes lie outside the model's file.</summary>
/// <param name="Location">The file's path, from the model's folder, as the model says it.</param>
/// <param name="Offset">Where the first byte is.</param>
/// <param name="Length">Bytes; null: as many as the shape takes.</param>
internal sealed record ExternalData(string Location, long Offset, long? Length)
{
    /// <summary>Reads the bytes.</summary>
    /// <exception cref="InputException">The path leads out of the model's folder, or the file is missing or too short.</exception>
    public ReadOnlyMemory<byte> Read(OnnxTensor tensor)
    {
        InputException Error(string what) => new($"{tensor.File}: tensor {Quote.Name(tensor.Name)} {what}");
        long expected = tensor.Count * tensor.Type!.Value.Size();
        if (Length is { } length && length != expected) throw Error($"{tensor.ShapeText} has {length} bytes in {Quote.Name(Location)}; {expected} were expected");
        // What the file says must not make us open anything that does not lie beside it or below.
        if (Location.Length == 0 || Location.IndexOfAny(['\\', ':', '\0']) >= 0 || Location.Split('/').Any(part => part is "" or "." or ".."))
            throw Error($"is said to be in {Quote.Name(Location)}; a path within the model's folder was expected");
        string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(tensor.File))!, Location);
        RegularFile.Require(path);
        try
        {
            using FileStream stream = System.IO.File.OpenRead(path);
            if (Offset < 0 || Offset > stream.Length || expected > stream.Length - Offset)
                throw Error($"{tensor.ShapeText} takes {expected} bytes from byte {Offset} of {path}; the file has {stream.Length}");
            if (expected > Array.MaxLength) throw Error($"{tensor.ShapeText} has {expected} bytes; at most {Array.MaxLength} were expected");
            byte[] bytes = new byte[expected];
            stream.Position = Offset;
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{tensor.File}: tensor {Quote.Name(tensor.Name)} is in {path}, which does not exist; the model's folder with all its files was expected", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: the file can't be read ({e.Message.TrimEnd('.')}); tensor {Quote.Name(tensor.Name)} was expected in it", e);
        }
    }
}
