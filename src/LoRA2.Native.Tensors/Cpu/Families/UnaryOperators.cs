using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>f over a block, with up to two parameters.</summary>
internal interface ISpanUnary<T>
{
    static abstract void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b);
}

/// <summary>f of one number, with up to two parameters.</summary>
internal interface IScalarUnary<TFrom, TTo>
{
    static abstract TTo Invoke(TFrom x, TFrom a, TFrom b);
}

/// <summary>One number after the other.</summary>
internal readonly struct Scalarwise<T, TOperator> : ISpanUnary<T>
    where TOperator : struct, IScalarUnary<T, T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b)
    {
        for (int i = 0; i < y.Length; i++) y[i] = TOperator.Invoke(x[i], a, b);
    }
}

internal readonly struct Exp<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T> => VectorMath.Exp<TSimd, T>(x);
}

internal readonly struct Log<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Log(x, y);
}

internal readonly struct Log2<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Log2(x, y);
}

internal readonly struct Log10<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Log10(x, y);
}

internal readonly struct Sqrt<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Sqrt(x, y);
}

internal readonly struct Reciprocal<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Reciprocal(x, y);
}

internal readonly struct Square<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Multiply(x, x, y);
}

internal readonly struct Abs<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Abs(x, y);
}

internal readonly struct Negate<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Negate(x, y);
}

internal readonly struct Sin<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Sin(x, y);
}

internal readonly struct Cos<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Cos(x, y);
}

internal readonly struct Tan<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Tan(x, y);
}

internal readonly struct Sigmoid<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T> => SigmoidGate.Of<TSimd, T>(x);
}

internal readonly struct Floor<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Floor(x, y);
}

internal readonly struct Ceiling<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Ceiling(x, y);
}

internal readonly struct Round<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Round(x, y);
}

internal readonly struct Truncate<T> : ISpanUnary<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Invoke(ReadOnlySpan<T> x, Span<T> y, T a, T b) => TensorPrimitives.Truncate(x, y);
}
