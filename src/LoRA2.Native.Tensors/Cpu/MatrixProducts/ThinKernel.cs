using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// sums (<typeparamref name="TRows"/> × columns) += Tᵀ·X for a few rows of both: the sums of two vectors of columns stay in registers while the
/// rows of X pass by.
/// </summary>
internal static unsafe class ThinKernel<T, TVector, TSimd, TRows>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : unmanaged, ISimd<T, TVector>
    where TRows : unmanaged, IConstant
{
    /// <param name="rows">Rows of T and X.</param>
    /// <param name="t">T's columns in question.</param>
    /// <param name="tStep">Elements between rows of T.</param>
    /// <param name="x">X.</param>
    /// <param name="xStep">Elements between rows of X.</param>
    /// <param name="columns">Columns of X, a multiple of two vectors.</param>
    /// <param name="sums">The sums.</param>
    /// <param name="sumStep">Elements between rows of the sums.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(int rows, T* t, nint tStep, T* x, nint xStep, nint columns, T* sums, nint sumStep)
    {
        for (nint column = 0; column < columns; column += 2 * TSimd.Count)
        {
            TVector p0 = default, q0 = default, p1 = default, q1 = default, p2 = default, q2 = default, p3 = default, q3 = default;
            TVector p4 = default, q4 = default, p5 = default, q5 = default, p6 = default, q6 = default, p7 = default, q7 = default;
            T* sum = sums + column;
            if (TRows.Value > 0) Load(sum, out p0, out q0);
            if (TRows.Value > 1) Load(sum + sumStep, out p1, out q1);
            if (TRows.Value > 2) Load(sum + (2 * sumStep), out p2, out q2);
            if (TRows.Value > 3) Load(sum + (3 * sumStep), out p3, out q3);
            if (TRows.Value > 4) Load(sum + (4 * sumStep), out p4, out q4);
            if (TRows.Value > 5) Load(sum + (5 * sumStep), out p5, out q5);
            if (TRows.Value > 6) Load(sum + (6 * sumStep), out p6, out q6);
            if (TRows.Value > 7) Load(sum + (7 * sumStep), out p7, out q7);
            T* a = t;
            T* b = x + column;
            for (int row = 0; row < rows; row++)
            {
                TVector b0 = TSimd.Load(b), b1 = TSimd.Load(b + TSimd.Count);
                if (TRows.Value > 0) AddProduct(ref p0, ref q0, a, b0, b1);
                if (TRows.Value > 1) AddProduct(ref p1, ref q1, a + 1, b0, b1);
                if (TRows.Value > 2) AddProduct(ref p2, ref q2, a + 2, b0, b1);
                if (TRows.Value > 3) AddProduct(ref p3, ref q3, a + 3, b0, b1);
                if (TRows.Value > 4) AddProduct(ref p4, ref q4, a + 4, b0, b1);
                if (TRows.Value > 5) AddProduct(ref p5, ref q5, a + 5, b0, b1);
                if (TRows.Value > 6) AddProduct(ref p6, ref q6, a + 6, b0, b1);
                if (TRows.Value > 7) AddProduct(ref p7, ref q7, a + 7, b0, b1);
                a += tStep;
                b += xStep;
            }

            if (TRows.Value > 0) Store(sum, p0, q0);
            if (TRows.Value > 1) Store(sum + sumStep, p1, q1);
            if (TRows.Value > 2) Store(sum + (2 * sumStep), p2, q2);
            if (TRows.Value > 3) Store(sum + (3 * sumStep), p3, q3);
            if (TRows.Value > 4) Store(sum + (4 * sumStep), p4, q4);
            if (TRows.Value > 5) Store(sum + (5 * sumStep), p5, q5);
            if (TRows.Value > 6) Store(sum + (6 * sumStep), p6, q6);
            if (TRows.Value > 7) Store(sum + (7 * sumStep), p7, q7);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load(T* from, out TVector p, out TVector q) => (p, q) = (TSimd.Load(from), TSimd.Load(from + TSimd.Count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddProduct(ref TVector p, ref TVector q, T* a, TVector b0, TVector b1)
    {
        TVector x = TSimd.Broadcast(a);
        p = TSimd.MultiplyAdd(x, b0, p);
        q = TSimd.MultiplyAdd(x, b1, q);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(T* to, TVector p, TVector q)
    {
        TSimd.Store(to, p);
        TSimd.Store(to + TSimd.Count, q);
    }
}
