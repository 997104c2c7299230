using System.Numerics;
using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>Whether two numbers stand to each other in some way, and for registers of them: all ones in a lane where they do.</summary>
internal interface IComparison<T> : IEachBinary<T, bool>
{
    static abstract Vector<T> Mask(Vector<T> a, Vector<T> b);
}

/// <summary>A comparison along rows: the masks of some registers are narrowed to one register of truth values.</summary>
internal readonly unsafe struct Compared<T, TComparison> : IRowBinary<T, bool>
    where T : unmanaged
    where TComparison : struct, IComparison<T>
{
    public static bool Invoke(T a, T b) => TComparison.Invoke(a, b);

    public static void Rows(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<bool> y)
    {
        fixed (T* left = a, right = b)
        fixed (bool* to = y) Row(left, 1, right, 1, to, y.Length);
    }

    [SkipLocalsInit]
    public static void LeftScalar(T a, ReadOnlySpan<T> b, Span<bool> y)
    {
        T* left = stackalloc T[Vector<T>.Count];
        Vector.Store(new Vector<T>(a), left);
        fixed (T* right = b)
        fixed (bool* to = y) Row(left, 0, right, 1, to, y.Length);
    }

    [SkipLocalsInit]
    public static void RightScalar(ReadOnlySpan<T> a, T b, Span<bool> y)
    {
        T* right = stackalloc T[Vector<T>.Count];
        Vector.Store(new Vector<T>(b), right);
        fixed (T* left = a)
        fixed (bool* to = y) Row(left, 1, right, 0, to, y.Length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(T* a, nint stepA, T* b, nint stepB, bool* y, nint length)
    {
        nint i = 0;
        for (; i <= length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            T* left = a + (i * stepA);
            T* right = b + (i * stepB);
            Vector<byte> truth = sizeof(T) switch
            {
                1 => Mask(left, stepA, right, stepB, 0).As<T, byte>(),
                4 => Vector.Narrow(Two(left, stepA, right, stepB, 0), Two(left, stepA, right, stepB, 2)).As<sbyte, byte>(),
                _ => Vector.Narrow(Four(left, stepA, right, stepB, 0), Four(left, stepA, right, stepB, 4)).As<sbyte, byte>(),
            };
            Vector.Store(truth & Vector<byte>.One, (byte*)(y + i));
        }

        for (; i < length; i++) y[i] = TComparison.Invoke(a[i * stepA], b[i * stepB]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<short> Two(T* a, nint stepA, T* b, nint stepB, int register) =>
        Vector.Narrow(Mask(a, stepA, b, stepB, register).As<T, int>(), Mask(a, stepA, b, stepB, register + 1).As<T, int>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<short> Four(T* a, nint stepA, T* b, nint stepB, int register) => Vector.Narrow(
        Vector.Narrow(Mask(a, stepA, b, stepB, register).As<T, long>(), Mask(a, stepA, b, stepB, register + 1).As<T, long>()),
        Vector.Narrow(Mask(a, stepA, b, stepB, register + 2).As<T, long>(), Mask(a, stepA, b, stepB, register + 3).As<T, long>()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<T> Mask(T* a, nint stepA, T* b, nint stepB, int register)
    {
        nint at = register * Vector<T>.Count;
        return TComparison.Mask(Vector.Load(a + (at * stepA)), Vector.Load(b + (at * stepB)));
    }
}

internal readonly struct Equal<T> : IComparison<T>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a == b;

    public static Vector<T> Mask(Vector<T> a, Vector<T> b) => Vector.Equals(a, b);
}

internal readonly struct NotEqual<T> : IComparison<T>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a != b;

    public static Vector<T> Mask(Vector<T> a, Vector<T> b) => ~Vector.Equals(a, b);
}

internal readonly struct Less<T> : IComparison<T>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a < b;

    public static Vector<T> Mask(Vector<T> a, Vector<T> b) => Vector.LessThan(a, b);
}

internal readonly struct LessOrEqual<T> : IComparison<T>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a <= b;

    public static Vector<T> Mask(Vector<T> a, Vector<T> b) => Vector.LessThanOrEqual(a, b);
}

internal readonly struct Greater<T> : IComparison<T>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a > b;

    public static Vector<T> Mask(Vector<T> a, Vector<T> b) => Vector.GreaterThan(a, b);
}

internal readonly struct GreaterOrEqual<T> : IComparison<T>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a >= b;

    public static Vector<T> Mask(Vector<T> a, Vector<T> b) => Vector.GreaterThanOrEqual(a, b);
}

internal readonly struct LogicalAnd<T> : IComparison<T>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a != T.Zero && b != T.Zero;

    public static Vector<T> Mask(Vector<T> a, Vector<T> b) => ~(Vector.Equals(a, Vector<T>.Zero) | Vector.Equals(b, Vector<T>.Zero));
}

internal readonly struct LogicalOr<T> : IComparison<T>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a != T.Zero || b != T.Zero;

    public static Vector<T> Mask(Vector<T> a, Vector<T> b) => ~(Vector.Equals(a, Vector<T>.Zero) & Vector.Equals(b, Vector<T>.Zero));
}

internal readonly struct LogicalXor<T> : IComparison<T>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => (a != T.Zero) != (b != T.Zero);

    public static Vector<T> Mask(Vector<T> a, Vector<T> b) => Vector.Equals(a, Vector<T>.Zero) ^ Vector.Equals(b, Vector<T>.Zero);
}
