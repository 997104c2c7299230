using LoRA2.Native.Tensors;

namespace LoRA2.Native.Safetensors;

/// <summary>One tensor of a safetensors file: what the header says of it, already checked against the file.</summary>
public sealed class SafetensorsEntry
{
    private readonly long[] _shape;

    internal SafetensorsEntry(string file, string name, SafetensorsDType type, long[] shape, long byteOffset, long byteLength)
    {
        File = file;
        Name = name;
        Type = type;
        _shape = shape;
        ByteOffset = byteOffset;
        ByteLength = byteLength;
    }

    /// <summary>Path of the file the tensor is in.</summary>
    public string File { get; }

    /// <summary>The tensor's name.</summary>
    public string Name { get; }

    /// <summary>The element type in the file.</summary>
    public SafetensorsDType Type { get; }

    /// <summary>The sizes of the dimensions; empty for a scalar.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>Where the tensor's first byte is, counted from the start of the file.</summary>
    public long ByteOffset { get; }

    /// <summary>Bytes the tensor takes.</summary>
    public long ByteLength { get; }

    /// <summary>Elements in the tensor.</summary>
    public long ElementCount => ByteLength / Type.Size();

    /// <summary>The engine's element type.</summary>
    /// <exception cref="InputException">The engine has no such type (U8, BOOL, …): the tensor can be listed, not loaded.</exception>
    public DType DType => Type.ToDType() ?? throw new InputException(
        $"{File}: tensor {Quote.Name(Name)} has dtype {Type.FormatName()}, expected one of F32, F16, BF16, F64, I64, I32.");

    /// <summary>Shape as text, [2, 3].</summary>
    public string ShapeText => $"[{string.Join(", ", _shape)}]";
}
