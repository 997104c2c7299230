using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LoRA2.Native.Tensors;

/// <content>Making tensors, and reading and writing their elements.</content>
public sealed unsafe partial class Tensor
{
    /// <summary>A contiguous tensor whose elements are not set.</summary>
    public static Tensor Empty(Shape shape, DType dtype = DType.Float32)
    {
        Span<int> strides = stackalloc int[shape.Rank];
        shape.ContiguousStrides(strides);
        return Of(MemoryPool.Shared.Rent((nuint)shape.Elements * (nuint)dtype.Size()), dtype, shape, strides, 0);
    }

    /// <summary>A contiguous tensor of zeros.</summary>
    public static Tensor Zeros(Shape shape, DType dtype = DType.Float32)
    {
        Tensor tensor = Empty(shape, dtype);
        NativeMemory.Clear(tensor.Pointer, (nuint)shape.Elements * (nuint)dtype.Size());
        return tensor;
    }

    /// <summary>A contiguous tensor with every element <paramref name="value"/>.</summary>
    public static Tensor Full(Shape shape, double value, DType dtype = DType.Float32)
    {
        Tensor tensor = Empty(shape, dtype);
        tensor.Device.Kernels.Fill(tensor, value);
        return tensor;
    }

    /// <summary>A tensor of one element and rank 0.</summary>
    public static Tensor Scalar(double value, DType dtype = DType.Float32) => Full([], value, dtype);

    /// <summary>A contiguous copy of <paramref name="values"/>.</summary>
    /// <exception cref="ArgumentException">Their number is not the shape's, or no dtype is stored as <typeparamref name="T"/>.</exception>
    public static Tensor From<T>(ReadOnlySpan<T> values, Shape shape)
        where T : unmanaged
    {
        if (values.Length != shape.Elements) throw new ArgumentException($"{values.Length} values don't fill shape {shape} of {shape.Elements}");
        Tensor tensor = Empty(shape, DTypeOf<T>());
        values.CopyTo(new Span<T>(tensor.Pointer, values.Length));
        return tensor;
    }

    /// <inheritdoc cref="From{T}(ReadOnlySpan{T}, Shape)"/>
    public static Tensor From<T>(T[] values, Shape shape)
        where T : unmanaged => From((ReadOnlySpan<T>)values, shape);

    /// <summary>The elements of a contiguous tensor, in place. The span is valid as long as the tensor is held, and not disposed.</summary>
    /// <exception cref="InvalidOperationException">It is not contiguous, or its elements are not <typeparamref name="T"/>.</exception>
    public Span<T> AsSpan<T>()
        where T : unmanaged
    {
        if (!IsContiguous) throw new InvalidOperationException($"tensor {this} is not contiguous");
        if (DType != DTypeOf<T>()) throw new InvalidOperationException($"tensor {this} does not hold {typeof(T).Name}");
        return new Span<T>(Pointer, Count);
    }

    /// <summary>A copy of the elements in order, whatever the strides.</summary>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        if (IsContiguous)
        {
            T[] values = AsSpan<T>().ToArray();
            GC.KeepAlive(this);
            return values;
        }

        using Tensor copy = Clone();
        return copy.AsSpan<T>().ToArray();
    }

    /// <summary>The only element, as a double.</summary>
    /// <exception cref="InvalidOperationException">There is not exactly one.</exception>
    public double Item()
    {
        if (Count != 1) throw new InvalidOperationException($"tensor {this} does not have exactly one element");
        double value = DType switch
        {
            DType.Float32 => *F32,
            DType.Float64 => *F64,
            DType.Int32 => *I32,
            DType.Int64 => *(long*)Pointer,
            DType.Float16 => (double)*(Half*)Pointer,
            _ => BitConverter.UInt32BitsToSingle((uint)*(ushort*)Pointer << 16),
        };
        GC.KeepAlive(this);
        return value;
    }

    /// <summary>A contiguous copy outside of autograd.</summary>
    public Tensor Clone()
    {
        Tensor copy = Empty(Shape, DType);
        Device.Kernels.Copy(this, copy);
        return copy;
    }

    /// <summary>A contiguous copy in another element type, outside of autograd; itself when it already is contiguous and of that type.</summary>
    public Tensor To(DType dtype)
    {
        if (dtype == DType && IsContiguous) return this;
        Tensor copy = Empty(Shape, dtype);
        Device.Kernels.Copy(this, copy);
        return copy;
    }

    /// <summary>Overwrites the elements with those of a tensor of the same shape, converting their type.</summary>
    public void CopyFrom(Tensor source)
    {
        if (source.Shape != Shape) throw new ArgumentException($"a tensor of shape {source.Shape} can't be copied into one of shape {Shape}");
        if (IsConstant) throw new InvalidOperationException("a frozen tensor can't be written");
        if (!IsContiguous) throw new InvalidOperationException($"tensor {this} is not contiguous");
        Device.Kernels.Copy(source, this);
    }

    private static DType DTypeOf<T>() => Unsafe.SizeOf<T>() switch
    {
        _ when typeof(T) == typeof(float) => DType.Float32,
        _ when typeof(T) == typeof(double) => DType.Float64,
        _ when typeof(T) == typeof(int) => DType.Int32,
        _ when typeof(T) == typeof(long) => DType.Int64,
        _ when typeof(T) == typeof(Half) => DType.Float16,
        _ when typeof(T) == typeof(ushort) => DType.BFloat16,
        _ => throw new ArgumentException($"no tensor element type is stored as {typeof(T).Name}"),
    };
}
