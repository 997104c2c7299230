using LoRA2.Native.Files;

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

    /// <summary>Makes sure that the elements can be read as float32 or int32.</summary>
    /// <exception cref="InputException">They can't (U8, BOOL, …): the tensor can be listed and copied, not loaded.</exception>
    public void RequireLoadable()
    {
        if (Type.IsLoadableFloat() || Type is SafetensorsDType.I32 or SafetensorsDType.I64) return;
        throw new InputException($"{File}: tensor {Quote.Name(Name)} has dtype {Type.FormatName()}, expected one of F32, F16, BF16, F64, I64, I32.");
    }

    /// <summary>Shape as text, [2, 3].</summary>
    public string ShapeText => $"[{string.Join(", ", _shape)}]";
}
