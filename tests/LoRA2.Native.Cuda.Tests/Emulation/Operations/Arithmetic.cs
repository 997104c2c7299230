using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

internal readonly struct Add<T> : IBinary<T> where T : unmanaged, INumber<T>
{
    public static bool HasVector => Vector512<T>.IsSupported;

    public static T Apply(T a, T b) => a + b;

    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => a + b;
}

internal readonly struct Subtract<T> : IBinary<T> where T : unmanaged, INumber<T>
{
    public static bool HasVector => Vector512<T>.IsSupported;

    public static T Apply(T a, T b) => a - b;

    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => a - b;
}

internal readonly struct Multiply<T> : IBinary<T> where T : unmanaged, INumber<T>
{
    public static bool HasVector => Vector512<T>.IsSupported;

    public static T Apply(T a, T b) => a * b;

    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => a * b;
}

/// <summary>Quotient; of whole numbers by zero all ones, as the hardware has it.</summary>
internal readonly struct Divide<T> : IBinary<T> where T : unmanaged, INumber<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T a, T b)
    {
        if (T.IsInteger(T.One / (T.One + T.One)) && T.IsZero(T.One / (T.One + T.One)))
        {
            if (T.IsZero(b))
                return T.Zero - T.One;
            if (b == T.Zero - T.One && T.IsNegative(b))
                return T.Zero - a;
        }
        return a / b;
    }
}

internal readonly struct Remainder<T> : IBinary<T> where T : unmanaged, INumber<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T a, T b)
    {
        if (T.IsZero(b))
            return a;
        return b == T.Zero - T.One && T.IsNegative(b) ? T.Zero : a % b;
    }
}

/// <summary>The smaller; of a number and a NaN the number.</summary>
internal readonly struct Minimum<T> : IBinary<T> where T : unmanaged, INumber<T>
{
    public static T Apply(T a, T b) => T.MinNumber(a, b);
}

/// <summary>The larger; of a number and a NaN the number.</summary>
internal readonly struct Maximum<T> : IBinary<T> where T : unmanaged, INumber<T>
{
    public static T Apply(T a, T b) => T.MaxNumber(a, b);
}

/// <summary>The smaller; NaN if either is.</summary>
internal readonly struct MinimumNaN<T> : IBinary<T> where T : unmanaged, INumber<T>
{
    public static T Apply(T a, T b) => T.Min(a, b);
}

/// <summary>The larger; NaN if either is.</summary>
internal readonly struct MaximumNaN<T> : IBinary<T> where T : unmanaged, INumber<T>
{
    public static T Apply(T a, T b) => T.Max(a, b);
}

internal readonly struct MultiplyAdd<T> : ITernary<T> where T : unmanaged, INumber<T>
{
    public static T Apply(T a, T b, T c) => (a * b) + c;
}

internal readonly struct FusedSingle : ITernary<float>
{
    public static bool HasVector => true;

    public static float Apply(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.FusedMultiplyAdd(a, b, c);
}

internal readonly struct FusedDouble : ITernary<double>
{
    public static double Apply(double a, double b, double c) => Math.FusedMultiplyAdd(a, b, c);
}

internal readonly struct FusedHalf : ITernary<Half>
{
    public static Half Apply(Half a, Half b, Half c) => Half.FusedMultiplyAdd(a, b, c);
}

/// <summary>The upper half of a product.</summary>
internal readonly struct MultiplyHigh<T> : IBinary<T>, ITernary<T> where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T a, T b) =>
        T.CreateTruncating((Int128.CreateTruncating(a) * Int128.CreateTruncating(b)) >> (int.CreateTruncating(T.PopCount(T.AllBitsSet))));

    public static T Apply(T a, T b, T c) => Apply(a, b) + c;
}

/// <summary>The upper half of a product of unsigned 64-bit numbers, for which 128 bits with a sign do not do.</summary>
internal readonly struct MultiplyHighUInt64 : IBinary<ulong>, ITernary<ulong>
{
    public static ulong Apply(ulong a, ulong b) => Math.BigMul(a, b, out _);

    public static ulong Apply(ulong a, ulong b, ulong c) => Apply(a, b) + c;
}

internal readonly struct Negate<T> : IUnary<T, T> where T : unmanaged, INumber<T>
{
    // Not 0 - a, which loses the sign of zero.
    public static T Apply(T a) => -a;
}

internal readonly struct Absolute<T> : IUnary<T, T> where T : unmanaged, INumber<T>
{
    public static T Apply(T a) => T.IsNegative(a) ? -a : a;
}

/// <summary>The second operand with the sign of the first.</summary>
internal readonly struct CopySign : IBinary<float>
{
    public static float Apply(float a, float b) => MathF.CopySign(b, a);
}

/// <summary>The second operand with the sign of the first.</summary>
internal readonly struct CopySignDouble : IBinary<double>
{
    public static double Apply(double a, double b) => Math.CopySign(b, a);
}

/// <summary>A function of float32 with subnormal inputs and results taken as zeros: <c>.ftz</c>.</summary>
internal readonly struct FlushedUnary<TFunction> : IUnary<float, float> where TFunction : IUnary<float, float>
{
    public static float Apply(float a) => Flush.Zero(TFunction.Apply(Flush.Zero(a)));
}

internal readonly struct FlushedBinary<TFunction> : IBinary<float> where TFunction : IBinary<float>
{
    public static float Apply(float a, float b) => Flush.Zero(TFunction.Apply(Flush.Zero(a), Flush.Zero(b)));
}

internal readonly struct FlushedTernary<TFunction> : ITernary<float> where TFunction : ITernary<float>
{
    public static float Apply(float a, float b, float c) => Flush.Zero(TFunction.Apply(Flush.Zero(a), Flush.Zero(b), Flush.Zero(c)));
}

/// <summary>Subnormal numbers taken as zeros of their sign.</summary>
internal static class Flush
{
    public static float Zero(float a) => float.IsSubnormal(a) ? MathF.CopySign(0, a) : a;
}
