using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>The sum of each row.</summary>
internal static unsafe class RowSum
{
    /// <summary>output[r] = (or +=) scale · Σ_c a[r, c].</summary>
    public static void Run<T>(T* a, T scale, nint rows, nint columns, T* output, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        SimdTask.Run<T, RowsTask<T>>(
            SimdTask.Parts(rows, SimdTask.RowsPerPart(columns)), new(a, scale, rows, columns, output, accumulate));

    /// <summary>The sum of one row, in four registers added up in a fixed order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T One<TSimd, T>(T* row, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd s0 = default, s1 = default, s2 = default, s3 = default;
        nint c = 0;
        for (; c <= count - (4 * TSimd.Count); c += 4 * TSimd.Count)
        {
            s0 += TSimd.Load(row + c);
            s1 += TSimd.Load(row + c + TSimd.Count);
            s2 += TSimd.Load(row + c + (2 * TSimd.Count));
            s3 += TSimd.Load(row + c + (3 * TSimd.Count));
        }

        for (; c < count; c += TSimd.Count) s0 += TSimd.LoadPartial(row + c, (int)Math.Min(TSimd.Count, count - c), default);
        return TSimd.Sum(s0 + s1 + (s2 + s3));
    }

    private readonly struct RowsTask<T>(T* a, T scale, nint rows, nint columns, T* output, bool accumulate) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint block = SimdTask.RowsPerPart(columns);
            nint end = Math.Min(rows, (index + 1) * block);
            for (nint r = index * block; r < end; r++)
            {
                T sum = scale * One<TSimd, T>(a + (r * columns), columns);
                output[r] = accumulate ? output[r] + sum : sum;
            }
        }
    }
}
