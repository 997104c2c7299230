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

    /// <summary>64-bit signed integer: indices.</summary>
    Int64,

    /// <summary>True or false, a byte each: what comparisons give.</summary>
    Bool,
}

/// <summary>Facts about each <see cref="DType"/>.</summary>
public static class DTypeExtensions
{
    /// <summary>Bytes one element takes.</summary>
    public static int Size(this DType dtype) => dtype switch
    {
        DType.Float64 or DType.Int64 => 8,
        DType.Float32 or DType.Int32 => 4,
        DType.Bool => 1,
        _ => 2,
    };

    /// <summary>Whether elements are floating-point numbers of any width.</summary>
    public static bool IsFloat(this DType dtype) => dtype is not (DType.Int32 or DType.Int64 or DType.Bool);

    /// <summary>
    /// The type in which two operands are computed, and that of the result, as PyTorch has it: floating point before integers before
    /// <see cref="DType.Bool"/>, and of one kind the wider; Float16 with BFloat16 gives Float32. A <see cref="Scalar"/> counts by its kind alone.
    /// </summary>
    public static DType With(this DType a, DType b)
    {
        if (a == b) return a;
        if (a.IsFloat() != b.IsFloat()) return a.IsFloat() ? a : b;
        if (a.IsFloat()) return a == DType.Float64 || b == DType.Float64 ? DType.Float64 : DType.Float32;
        return a == DType.Bool ? b : b == DType.Bool ? a : DType.Int64;
    }

    /// <summary>The type of a tensor computed with a number: the tensor's, unless the number is of a higher kind; then Int64, or Float32.</summary>
    public static DType With(this DType a, Scalar b) => a.IsFloat() || (b.IsInteger && a != DType.Bool) || b.IsTruth ? a : b.IsInteger ? DType.Int64 : DType.Float32;
}
