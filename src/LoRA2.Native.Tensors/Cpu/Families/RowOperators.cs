using System.Numerics;
using System.Numerics.Tensors;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>f of two numbers, and over rows; a row may be one number all along.</summary>
internal interface IRowBinary<T, TResult>
{
    static abstract TResult Invoke(T a, T b);

    static abstract void Rows(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<TResult> y);

    static abstract void LeftScalar(T a, ReadOnlySpan<T> b, Span<TResult> y);

    static abstract void RightScalar(ReadOnlySpan<T> a, T b, Span<TResult> y);
}

/// <summary>f of two numbers.</summary>
internal interface IEachBinary<T, TResult>
{
    static abstract TResult Invoke(T a, T b);
}

/// <summary>One pair of numbers after the other.</summary>
internal readonly struct Pairwise<T, TResult, TOperator> : IRowBinary<T, TResult>
    where T : unmanaged
    where TResult : unmanaged
    where TOperator : struct, IEachBinary<T, TResult>
{
    public static TResult Invoke(T a, T b) => TOperator.Invoke(a, b);

    public static void Rows(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<TResult> y)
    {
        for (int i = 0; i < y.Length; i++) y[i] = TOperator.Invoke(a[i], b[i]);
    }

    public static void LeftScalar(T a, ReadOnlySpan<T> b, Span<TResult> y)
    {
        for (int i = 0; i < y.Length; i++) y[i] = TOperator.Invoke(a, b[i]);
    }

    public static void RightScalar(ReadOnlySpan<T> a, T b, Span<TResult> y)
    {
        for (int i = 0; i < y.Length; i++) y[i] = TOperator.Invoke(a[i], b);
    }
}

internal readonly struct Add<T> : IRowBinary<T, T>
    where T : unmanaged, INumber<T>
{
    public static T Invoke(T a, T b) => a + b;

    public static void Rows(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Add(a, b, y);

    public static void LeftScalar(T a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Add(b, a, y);

    public static void RightScalar(ReadOnlySpan<T> a, T b, Span<T> y) => TensorPrimitives.Add(a, b, y);
}

internal readonly struct Subtract<T> : IRowBinary<T, T>
    where T : unmanaged, INumber<T>
{
    public static T Invoke(T a, T b) => a - b;

    public static void Rows(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Subtract(a, b, y);

    public static void LeftScalar(T a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Subtract(a, b, y);

    public static void RightScalar(ReadOnlySpan<T> a, T b, Span<T> y) => TensorPrimitives.Subtract(a, b, y);
}

internal readonly struct Multiply<T> : IRowBinary<T, T>
    where T : unmanaged, INumber<T>
{
    public static T Invoke(T a, T b) => a * b;

    public static void Rows(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Multiply(a, b, y);

    public static void LeftScalar(T a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Multiply(b, a, y);

    public static void RightScalar(ReadOnlySpan<T> a, T b, Span<T> y) => TensorPrimitives.Multiply(a, b, y);
}

internal readonly struct Divide<T> : IRowBinary<T, T>
    where T : unmanaged, INumber<T>
{
    public static T Invoke(T a, T b) => a / b;

    public static void Rows(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Divide(a, b, y);

    public static void LeftScalar(T a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Divide(a, b, y);

    public static void RightScalar(ReadOnlySpan<T> a, T b, Span<T> y) => TensorPrimitives.Divide(a, b, y);
}

internal readonly struct Maximum<T> : IRowBinary<T, T>
    where T : unmanaged, INumber<T>
{
    public static T Invoke(T a, T b) => T.Max(a, b);

    public static void Rows(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Max(a, b, y);

    public static void LeftScalar(T a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Max(b, a, y);

    public static void RightScalar(ReadOnlySpan<T> a, T b, Span<T> y) => TensorPrimitives.Max(a, b, y);
}

internal readonly struct Minimum<T> : IRowBinary<T, T>
    where T : unmanaged, INumber<T>
{
    public static T Invoke(T a, T b) => T.Min(a, b);

    public static void Rows(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Min(a, b, y);

    public static void LeftScalar(T a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Min(b, a, y);

    public static void RightScalar(ReadOnlySpan<T> a, T b, Span<T> y) => TensorPrimitives.Min(a, b, y);
}
