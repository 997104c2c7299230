using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Cpu;

/// <content>Copies between layouts and element types.</content>
internal sealed unsafe partial class CpuKernels
{
    public override void Copy(Tensor source, Tensor destination)
    {
        if (source.IsContiguous)
        {
            Convert(source, destination);
        }
        else if (source.DType == destination.DType)
        {
            Gather(source, destination);
        }
        else
        {
            using var scope = new TensorScope();
            Tensor ordered = Tensor.Empty(source.Shape, source.DType);
            Gather(source, ordered);
            Convert(ordered, destination);
        }
        Keep(source, destination);
    }

    public override void Concatenate(ReadOnlySpan<Tensor> tensors, Tensor y)
    {
        byte* to = y.Pointer;
        foreach (Tensor tensor in tensors)
        {
            Elementwise.Copy(tensor.Pointer, (nint)tensor.Bytes, to);
            to += tensor.Bytes;
            Keep(tensor);
        }

        Keep(y);
    }

    public override void AccumulateInto(Tensor source, Tensor destination)
    {
        Span<nint> shape = stackalloc nint[source.Shape.Rank];
        Span<nint> strides = stackalloc nint[source.Shape.Rank];
        Describe(destination, shape, strides);
        if (IsDouble(source)) StridedAccumulate.Run(source.F64, shape, strides, destination.F64);
        else StridedAccumulate.Run(source.F32, shape, strides, destination.F32);
        Keep(source, destination);
    }

    private static void Gather(Tensor source, Tensor destination)
    {
        Span<nint> shape = stackalloc nint[source.Shape.Rank];
        Span<nint> strides = stackalloc nint[source.Shape.Rank];
        Describe(source, shape, strides);
        switch (source.DType.Size())
        {
            case 1: StridedCopy.Run(source.Pointer, shape, strides, destination.Pointer); break;
            case 2: StridedCopy.Run((ushort*)source.Pointer, shape, strides, (ushort*)destination.Pointer); break;
            case 4: StridedCopy.Run((uint*)source.Pointer, shape, strides, (uint*)destination.Pointer); break;
            default: StridedCopy.Run((ulong*)source.Pointer, shape, strides, (ulong*)destination.Pointer); break;
        }
    }

    private static void Describe(Tensor x, Span<nint> shape, Span<nint> strides)
    {
        for (int i = 0; i < shape.Length; i++)
        {
            shape[i] = x.Shape[i];
            strides[i] = x.Strides[i];
        }
    }

    private static void Convert(Tensor source, Tensor destination)
    {
        int count = source.Count;
        switch (source.DType, destination.DType)
        {
            case var (from, to) when from == to: Elementwise.Copy(source.Pointer, (nint)count * from.Size(), destination.Pointer); break;
            case (DType.Float32, DType.Float64): Conversion.FloatToDouble(source.F32, count, destination.F64); break;
            case (DType.Float64, DType.Float32): Conversion.DoubleToFloat(source.F64, count, destination.F32); break;
            case (DType.Float32, DType.Float16): Conversion.FloatToHalf(source.F32, count, (Half*)destination.Pointer); break;
            case (DType.Float16, DType.Float32): Conversion.HalfToFloat((Half*)source.Pointer, count, destination.F32); break;
            case (DType.Float32, DType.BFloat16): Conversion.FloatToBFloat16(source.F32, count, (ushort*)destination.Pointer); break;
            case (DType.BFloat16, DType.Float32): Conversion.BFloat16ToFloat((ushort*)source.Pointer, count, destination.F32); break;
            case (_, DType.Bool): Truths(source, destination); break;
            case (DType.Int32, DType.Float32): Each<int, float>(source, destination); break;
            case (DType.Int32, DType.Float64): Each<int, double>(source, destination); break;
            case (DType.Int64, DType.Int32): Each<long, int>(source, destination); break;
            case (DType.Int32, DType.Int64): Each<int, long>(source, destination); break;
            case (DType.Int64, DType.Float32): Each<long, float>(source, destination); break;
            case (DType.Int64, DType.Float64): Each<long, double>(source, destination); break;
            case (DType.Bool, DType.Float32): Each<byte, float>(source, destination); break;
            case (DType.Bool, DType.Float64): Each<byte, double>(source, destination); break;
            case (DType.Bool, DType.Int32): Each<byte, int>(source, destination); break;
            case (DType.Bool, DType.Int64): Each<byte, long>(source, destination); break;
            case (DType.Float32, DType.Int32): Towards0<float, int>(source, destination); break;
            case (DType.Float32, DType.Int64): Towards0<float, long>(source, destination); break;
            case (DType.Float64, DType.Int32): Towards0<double, int>(source, destination); break;
            case (DType.Float64, DType.Int64): Towards0<double, long>(source, destination); break;
            default: throw new ArgumentException($"a tensor of {source.DType} can't be converted to {destination.DType}");
        }
    }

    private static void Towards0<TFrom, TTo>(Tensor source, Tensor destination)
        where TFrom : unmanaged, System.Numerics.INumber<TFrom>
        where TTo : unmanaged, System.Numerics.INumber<TTo> =>
        System.Numerics.Tensors.TensorPrimitives.ConvertSaturating<TFrom, TTo>(source.AsSpan<TFrom>(), destination.AsSpan<TTo>());

    private static void Truths(Tensor source, Tensor destination)
    {
        switch (source.DType)
        {
            case DType.Float32: TruthsOf<float>(source, destination); break;
            case DType.Float64: TruthsOf<double>(source, destination); break;
            case DType.Int32: TruthsOf<int>(source, destination); break;
            case DType.Int64: TruthsOf<long>(source, destination); break;
            default: throw new ArgumentException($"a tensor of {source.DType} can't be converted to {destination.DType}");
        }
    }

    private static void TruthsOf<T>(Tensor source, Tensor destination)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        Span<bool> to = destination.AsSpan<bool>();
        ReadOnlySpan<T> from = source.AsSpan<T>();
        for (int i = 0; i < to.Length; i++) to[i] = from[i] != T.Zero;
    }

    private static void Each<TFrom, TTo>(Tensor source, Tensor destination)
        where TFrom : unmanaged, System.Numerics.INumber<TFrom>
        where TTo : unmanaged, System.Numerics.INumber<TTo> =>
        System.Numerics.Tensors.TensorPrimitives.ConvertChecked<TFrom, TTo>(new ReadOnlySpan<TFrom>(source.Pointer, source.Count), destination.AsSpan<TTo>());
}
