using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors;

/// <content>Making tensors, and reading and writing their elements.</content>
public sealed unsafe partial class Tensor
{
    /// <summary>A contiguous tensor on the CPU whose elements are not set.</summary>
    public static Tensor Empty(Shape shape, DType dtype = DType.Float32) => Empty(shape, dtype, Device.Cpu);

    /// <summary>A contiguous tensor on <paramref name="device"/> whose elements are not set.</summary>
    public static Tensor Empty(Shape shape, DType dtype, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        Span<int> strides = stackalloc int[shape.Rank];
        shape.ContiguousStrides(strides);
        return Of(device.Memory.Rent((nuint)shape.Elements * (nuint)dtype.Size()), dtype, shape, strides, 0);
    }

    /// <summary>A contiguous tensor of zeros on the CPU.</summary>
    public static Tensor Zeros(Shape shape, DType dtype = DType.Float32) => Zeros(shape, dtype, Device.Cpu);

    /// <summary>A contiguous tensor of zeros on <paramref name="device"/>.</summary>
    public static Tensor Zeros(Shape shape, DType dtype, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        Tensor tensor = Empty(shape, dtype, device);
        tensor.Device.Clear(tensor.Address, tensor.Bytes);
        return tensor;
    }

    /// <summary>A contiguous tensor on the CPU with every element <paramref name="value"/>.</summary>
    public static Tensor Full(Shape shape, double value, DType dtype = DType.Float32) => Full(shape, value, dtype, Device.Cpu);

    /// <summary>A contiguous tensor on <paramref name="device"/> with every element <paramref name="value"/>.</summary>
    public static Tensor Full(Shape shape, double value, DType dtype, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        Tensor tensor = Empty(shape, dtype, device);
        tensor.Device.Kernels.Fill(tensor, value);
        return tensor;
    }

    /// <summary>A tensor of one element and rank 0 on the CPU.</summary>
    public static Tensor Scalar(double value, DType dtype = DType.Float32) => Full([], value, dtype);

    /// <summary>A contiguous copy of <paramref name="values"/> on the CPU.</summary>
    /// <exception cref="ArgumentException">Their number is not the shape's, or no dtype is stored as <typeparamref name="T"/>.</exception>
    public static Tensor From<T>(ReadOnlySpan<T> values, Shape shape)
        where T : unmanaged
    {
        if (values.Length != shape.Elements) throw new ArgumentException($"{values.Length} values don't fill shape {shape} of {shape.Elements}");
        Tensor tensor = Empty(shape, DTypeOf<T>());
        fixed (T* from = values) tensor.Device.CopyIn(tensor.Address, (byte*)from, tensor.Bytes);
        return tensor;
    }

    /// <inheritdoc cref="From{T}(ReadOnlySpan{T}, Shape)"/>
    public static Tensor From<T>(T[] values, Shape shape)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(values);
        return From((ReadOnlySpan<T>)values, shape);
    }

    /// <summary>The elements of a contiguous tensor on the CPU, in place. The span is valid as long as the tensor is held, and not disposed.</summary>
    /// <exception cref="InvalidOperationException">It is not contiguous, not on the CPU, or its elements are not <typeparamref name="T"/>.</exception>
    public Span<T> AsSpan<T>()
        where T : unmanaged
    {
        Require<T>(Count);
        return new Span<T>(Pointer, Count);
    }

    /// <summary>A copy of the elements in order, whatever the strides and the device.</summary>
    /// <exception cref="InvalidOperationException">They are not <typeparamref name="T"/>.</exception>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        if (!IsContiguous)
        {
            using Tensor copy = Clone();
            return copy.ToArray<T>();
        }

        T[] values = new T[Count];
        Read<T>(values);
        return values;
    }

    /// <summary>Copies the elements of a contiguous tensor, on any device, to <paramref name="values"/>.</summary>
    /// <exception cref="InvalidOperationException">It is not contiguous, or its elements are not <typeparamref name="T"/>.</exception>
    /// <exception cref="ArgumentException">There are not as many values as elements.</exception>
    public void Read<T>(Span<T> values)
        where T : unmanaged
    {
        Require<T>(values.Length);
        using HeldStorage held = Hold();
        fixed (T* to = values) Device.CopyOut((byte*)to, Address, Bytes);
        GC.KeepAlive(this);
    }

    /// <summary>Overwrites the elements of a contiguous tensor, on any device, with <paramref name="values"/>.</summary>
    /// <exception cref="InvalidOperationException">It is frozen or not contiguous, or its elements are not <typeparamref name="T"/>.</exception>
    /// <exception cref="ArgumentException">There are not as many values as elements.</exception>
    public void Write<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (IsConstant) throw new InvalidOperationException("a frozen tensor can't be written");
        Require<T>(values.Length);
        using HeldStorage held = Hold();
        fixed (T* from = values) Device.CopyIn(Address, (byte*)from, Bytes);
        GC.KeepAlive(this);
    }

    /// <summary>The only element, as a double.</summary>
    /// <exception cref="InvalidOperationException">There is not exactly one.</exception>
    public double Item()
    {
        if (Count != 1) throw new InvalidOperationException($"tensor {this.Description} does not have exactly one element");
        using HeldStorage held = Hold();
        long bits = 0;
        Device.CopyOut((byte*)&bits, Address, Bytes);
        GC.KeepAlive(this);
        return DType switch
        {
            DType.Float32 => *(float*)&bits,
            DType.Float64 => *(double*)&bits,
            DType.Int32 => *(int*)&bits,
            DType.Int64 => bits,
            DType.Bool => bits == 0 ? 0 : 1,
            DType.Float16 => (double)*(Half*)&bits,
            _ => BitConverter.UInt32BitsToSingle((uint)*(ushort*)&bits << 16),
        };
    }

    /// <summary>A contiguous copy outside of autograd.</summary>
    public Tensor Clone()
    {
        using HeldStorage held = Hold();
        Tensor copy = Empty(Shape, DType, Device);
        Device.Kernels.Copy(this, copy);
        return copy;
    }

    /// <summary>A contiguous copy in another element type, outside of autograd; itself when it already is contiguous and of that type.</summary>
    public Tensor To(DType dtype)
    {
        if (dtype == DType && IsContiguous) return this;
        using HeldStorage held = Hold();
        Tensor copy = Empty(Shape, dtype, Device);
        Device.Kernels.Copy(this, copy);
        return copy;
    }

    /// <summary>A contiguous copy on another device, outside of autograd; itself when it is there already.</summary>
    public Tensor To(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device == Device) return this;
        using HeldStorage held = Hold();
        Tensor copy = Empty(Shape, DType, device);
        if (IsContiguous) Across(this, copy);
        else
        {
            using Tensor ordered = Clone();
            Across(ordered, copy);
        }

        return copy;
    }

    /// <summary>Overwrites the elements with those of a tensor of the same shape, on any device, converting their type.</summary>
    public void CopyFrom(Tensor source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Shape != Shape) throw new ArgumentException($"a tensor of shape {source.Shape} can't be copied into one of shape {Shape}");
        if (IsConstant) throw new InvalidOperationException("a frozen tensor can't be written");
        if (!IsContiguous) throw new InvalidOperationException($"tensor {this.Description} is not contiguous");
        using HeldStorage held = Hold(), read = source.Hold();
        if (source.Device == Device)
        {
            Device.Kernels.Copy(source, this);
            return;
        }

        using var scope = new TensorScope();
        Across(source.To(DType), this);
    }

    /// <summary>Copies between contiguous tensors of one type, shape and two devices.</summary>
    private static void Across(Tensor source, Tensor destination)
    {
        if (source.Storage.IsHost) destination.Device.CopyIn(destination.Address, source.Pointer, source.Bytes);
        else if (destination.Storage.IsHost) source.Device.CopyOut(destination.Pointer, source.Address, source.Bytes);
        else throw new NotSupportedException($"tensors are not copied from {source.Device.Name} to {destination.Device.Name}");
        GC.KeepAlive(source);
    }

    private void Require<T>(int values)
        where T : unmanaged
    {
        if (!IsContiguous) throw new InvalidOperationException($"tensor {this.Description} is not contiguous");
        if (DType != DTypeOf<T>()) throw new InvalidOperationException($"tensor {this.Description} does not hold {typeof(T).Name}");
        if (values != Count) throw new ArgumentException($"tensor {this.Description} has {Count} elements, not {values}");
    }

    private static DType DTypeOf<T>() => Unsafe.SizeOf<T>() switch
    {
        _ when typeof(T) == typeof(float) => DType.Float32,
        _ when typeof(T) == typeof(double) => DType.Float64,
        _ when typeof(T) == typeof(int) => DType.Int32,
        _ when typeof(T) == typeof(long) => DType.Int64,
        _ when typeof(T) == typeof(bool) => DType.Bool,
        _ when typeof(T) == typeof(Half) => DType.Float16,
        _ when typeof(T) == typeof(ushort) => DType.BFloat16,
        _ => throw new ArgumentException($"no tensor element type is stored as {typeof(T).Name}"),
    };
}
