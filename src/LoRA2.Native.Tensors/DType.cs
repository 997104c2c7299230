namespace LoRA2.Native.Tensors;

/// <summary>The element type of a <see cref="Tensor"/> or of a tensor in a file.</summary>
public enum DType
{
    /// <summary>IEEE 754 binary32.</summary>
    Float32,

    /// <summary>IEEE 754 binary64; what gradient checks are computed in.</summary>
    Float64,

    /// <summary>IEEE 754 binary16; storage only.</summary>
    Float16,

    /// <summary>The upper half of a binary32; storage only.</summary>
    BFloat16,

    /// <summary>32-bit signed integer: ids, labels, masks.</summary>
    Int32,

    /// <summary>64-bit signed integer; storage only.</summary>
    Int64,
}

/// <summary>Facts about each <see cref="DType"/>.</summary>
public static class DTypeExtensions
{
    /// <summary>Bytes one element takes.</summary>
    public static int Size(this DType dtype) => dtype switch
    {
        DType.Float64 or DType.Int64 => 8,
        DType.Float32 or DType.Int32 => 4,
        _ => 2,
    };

    /// <summary>Whether elements are floating-point numbers of any width.</summary>
    public static bool IsFloat(this DType dtype) => dtype is not (DType.Int32 or DType.Int64);
}
