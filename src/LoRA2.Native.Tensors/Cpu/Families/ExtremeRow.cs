using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>The larger or the smaller: of registers, where neither is NaN, and of a whole row and of two rows, as IEEE 754 has it.</summary>
internal interface IExtreme<T>
    where T : unmanaged, INumber<T>
{
    static abstract Vector<T> Of(Vector<T> a, Vector<T> b);

    static abstract T Of(ReadOnlySpan<T> row);

    static abstract void Of(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y);
}

internal readonly struct Larger<T> : IExtreme<T>
    where T : unmanaged, INumber<T>
{
    public static Vector<T> Of(Vector<T> a, Vector<T> b) => Vector.MaxNative(a, b);

    public static T Of(ReadOnlySpan<T> row) => TensorPrimitives.Max(row);

    public static void Of(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Max(a, b, y);
}

internal readonly struct Smaller<T> : IExtreme<T>
    where T : unmanaged, INumber<T>
{
    public static Vector<T> Of(Vector<T> a, Vector<T> b) => Vector.MinNative(a, b);

    public static T Of(ReadOnlySpan<T> row) => TensorPrimitives.Min(row);

    public static void Of(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) => TensorPrimitives.Min(a, b, y);
}

/// <summary>The largest or the smallest of a row by the processor's own instruction, which loses NaN and the sign of 0; what may hold either is done again with care.</summary>
internal static unsafe class ExtremeRow
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Of<T, TExtreme>(ReadOnlySpan<T> row)
        where T : unmanaged, INumber<T>
        where TExtreme : struct, IExtreme<T>
    {
        int lanes = Vector<T>.Count;
        if (row.Length < lanes) return TExtreme.Of(row);
        fixed (T* x = row)
        {
            // NaN stays in a sum, and so costs no comparison. Infinities of both signs, and what overflows, can look the same: then the careful way has its turn without need.
            Vector<T> e0 = Vector.Load(x), e1 = e0, e2 = e0, e3 = e0;
            Vector<T> n0 = default, n1 = default, n2 = default, n3 = default;
            // The four quarters are read side by side, since the processor fetches ahead within a page only.
            int quarter = row.Length / (4 * lanes) * lanes;
            T* second = x + quarter, third = second + quarter, fourth = third + quarter;
            for (int i = 0; i < quarter; i += lanes)
            {
                Vector<T> x0 = Vector.Load(x + i), x1 = Vector.Load(second + i), x2 = Vector.Load(third + i), x3 = Vector.Load(fourth + i);
                e0 = TExtreme.Of(x0, e0);
                e1 = TExtreme.Of(x1, e1);
                e2 = TExtreme.Of(x2, e2);
                e3 = TExtreme.Of(x3, e3);
                if (!HasNaN<T>()) continue;
                n0 += x0;
                n1 += x1;
                n2 += x2;
                n3 += x3;
            }

            // The last register may take elements in that were there before.
            for (int i = 4 * quarter; i < row.Length; i += lanes)
            {
                Vector<T> rest = Vector.Load(x + Math.Min(i, row.Length - lanes));
                e0 = TExtreme.Of(rest, e0);
                n0 += rest;
            }

            Vector<T> extremes = TExtreme.Of(TExtreme.Of(e0, e1), TExtreme.Of(e2, e3));
            T extreme = TExtreme.Of(new ReadOnlySpan<T>(&extremes, lanes));
            return HasNaN<T>() && (extreme == T.Zero || T.IsNaN(Vector.Sum(n0 + n1 + (n2 + n3)))) ? TExtreme.Of(row) : extreme;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HasNaN<T>() => typeof(T) == typeof(float) || typeof(T) == typeof(double);
}
