using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// Dot products of three rows of X with <typeparamref name="TColumns"/> ≤ 8 rows of S, all along contiguous memory: nothing is packed, and
/// X is read once. Each sum is over the lanes of a vector, then across them, then over what is left of the depth.
/// </summary>
internal static unsafe class DotKernel<T, TVector, TSimd, TColumns>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : unmanaged, ISimd<T, TVector>
    where TColumns : unmanaged, IConstant
{
    /// <param name="x0">First row of X.</param>
    /// <param name="x1">Second row of X; may be the first again.</param>
    /// <param name="x2">Third row of X; may be the first again.</param>
    /// <param name="s">First row of S.</param>
    /// <param name="step">Elements between rows of S.</param>
    /// <param name="depth">Length of the sums.</param>
    /// <param name="sums">3 × 8 results.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(T* x0, T* x1, T* x2, T* s, nint step, nint depth, T* sums)
    {
        TVector a, b, c, y;
        TVector a0 = default, b0 = default, c0 = default;
        TVector a1 = default, b1 = default, c1 = default;
        TVector a2 = default, b2 = default, c2 = default;
        TVector a3 = default, b3 = default, c3 = default;
        TVector a4 = default, b4 = default, c4 = default;
        TVector a5 = default, b5 = default, c5 = default;
        TVector a6 = default, b6 = default, c6 = default;
        TVector a7 = default, b7 = default, c7 = default;
        nint step2 = 2 * step, step3 = 3 * step;
        T* s4 = s + 4 * step;
        nint p = 0;
        for (; p <= depth - TSimd.Count; p += TSimd.Count)
        {
            a = TSimd.Load(x0 + p);
            b = TSimd.Load(x1 + p);
            c = TSimd.Load(x2 + p);
            if (TColumns.Value > 0)
            {
                y = TSimd.Load(s + p);
                a0 = TSimd.MultiplyAdd(a, y, a0);
                b0 = TSimd.MultiplyAdd(b, y, b0);
                c0 = TSimd.MultiplyAdd(c, y, c0);
            }

            if (TColumns.Value > 1)
            {
                y = TSimd.Load(s + step + p);
                a1 = TSimd.MultiplyAdd(a, y, a1);
                b1 = TSimd.MultiplyAdd(b, y, b1);
                c1 = TSimd.MultiplyAdd(c, y, c1);
            }

            if (TColumns.Value > 2)
            {
                y = TSimd.Load(s + step2 + p);
                a2 = TSimd.MultiplyAdd(a, y, a2);
                b2 = TSimd.MultiplyAdd(b, y, b2);
                c2 = TSimd.MultiplyAdd(c, y, c2);
            }

            if (TColumns.Value > 3)
            {
                y = TSimd.Load(s + step3 + p);
                a3 = TSimd.MultiplyAdd(a, y, a3);
                b3 = TSimd.MultiplyAdd(b, y, b3);
                c3 = TSimd.MultiplyAdd(c, y, c3);
            }

            if (TColumns.Value > 4)
            {
                y = TSimd.Load(s4 + p);
                a4 = TSimd.MultiplyAdd(a, y, a4);
                b4 = TSimd.MultiplyAdd(b, y, b4);
                c4 = TSimd.MultiplyAdd(c, y, c4);
            }

            if (TColumns.Value > 5)
            {
                y = TSimd.Load(s4 + step + p);
                a5 = TSimd.MultiplyAdd(a, y, a5);
                b5 = TSimd.MultiplyAdd(b, y, b5);
                c5 = TSimd.MultiplyAdd(c, y, c5);
            }

            if (TColumns.Value > 6)
            {
                y = TSimd.Load(s4 + step2 + p);
                a6 = TSimd.MultiplyAdd(a, y, a6);
                b6 = TSimd.MultiplyAdd(b, y, b6);
                c6 = TSimd.MultiplyAdd(c, y, c6);
            }

            if (TColumns.Value > 7)
            {
                y = TSimd.Load(s4 + step3 + p);
                a7 = TSimd.MultiplyAdd(a, y, a7);
                b7 = TSimd.MultiplyAdd(b, y, b7);
                c7 = TSimd.MultiplyAdd(c, y, c7);
            }
        }

        if (TColumns.Value > 0)
        {
            sums[0] = TSimd.Sum(a0);
            sums[8] = TSimd.Sum(b0);
            sums[16] = TSimd.Sum(c0);
        }

        if (TColumns.Value > 1)
        {
            sums[1] = TSimd.Sum(a1);
            sums[9] = TSimd.Sum(b1);
            sums[17] = TSimd.Sum(c1);
        }

        if (TColumns.Value > 2)
        {
            sums[2] = TSimd.Sum(a2);
            sums[10] = TSimd.Sum(b2);
            sums[18] = TSimd.Sum(c2);
        }

        if (TColumns.Value > 3)
        {
            sums[3] = TSimd.Sum(a3);
            sums[11] = TSimd.Sum(b3);
            sums[19] = TSimd.Sum(c3);
        }

        if (TColumns.Value > 4)
        {
            sums[4] = TSimd.Sum(a4);
            sums[12] = TSimd.Sum(b4);
            sums[20] = TSimd.Sum(c4);
        }

        if (TColumns.Value > 5)
        {
            sums[5] = TSimd.Sum(a5);
            sums[13] = TSimd.Sum(b5);
            sums[21] = TSimd.Sum(c5);
        }

        if (TColumns.Value > 6)
        {
            sums[6] = TSimd.Sum(a6);
            sums[14] = TSimd.Sum(b6);
            sums[22] = TSimd.Sum(c6);
        }

        if (TColumns.Value > 7)
        {
            sums[7] = TSimd.Sum(a7);
            sums[15] = TSimd.Sum(b7);
            sums[23] = TSimd.Sum(c7);
        }

        for (; p < depth; p++)
        {
            for (int j = 0; j < TColumns.Value; j++)
            {
                T value = s[j * step + p];
                sums[j] += x0[p] * value;
                sums[8 + j] += x1[p] * value;
                sums[16 + j] += x2[p] * value;
            }
        }
    }
}
