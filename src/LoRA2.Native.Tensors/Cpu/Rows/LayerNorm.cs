using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>
/// Layer normalisation of each row: x̂ = (x − mean) / √(variance + ε), y = γ x̂ + β, with the biased variance, computed in two passes.
/// The gradients are in <see cref="LayerNormGradient"/>.
/// </summary>
internal static unsafe class LayerNorm
{
    /// <summary>
    /// Writes y, and each row's mean and 1/√(variance + ε), which the gradients need. Where <paramref name="residual"/> is not null,
    /// residual + dropout(x) is normalised, and written to <paramref name="sum"/> (which may be x or the residual) for the gradients.
    /// <paramref name="y"/> may be <paramref name="x"/>.
    /// </summary>
    public static void Forward<T>(
        T* x, T* residual, T* gamma, T* beta, nint rows, nint columns, double epsilon, T* sum, T* y, T* mean, T* inverseDeviation, RowDropout dropout = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (rows == 0 || columns == 0) return;
        int parts = SimdTask.Parts(rows, SimdTask.RowsPerPart(columns));
        T eps = VectorMath.Scalar<T>(epsilon);
        SimdTask.Run<T, RowsTask<T>>(parts, new(x, residual, gamma, beta, rows, columns, eps, sum, y, mean, inverseDeviation, dropout));
    }

    private readonly struct RowsTask<T>(
        T* x, T* residual, T* gamma, T* beta, nint rows, nint columns, T epsilon, T* sum, T* y, T* mean, T* inverseDeviation, RowDropout dropout) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint block = SimdTask.RowsPerPart(columns);
            nint end = Math.Min(rows, (index + 1) * block);
            T size = T.CreateTruncating(columns);
            for (nint r = index * block; r < end; r++)
            {
                T* row = x + (r * columns);
                if (residual != null)
                {
                    nint at = r * columns;
                    if (dropout.Probability == 0) Add<TSimd>(row, residual + at, sum + at);
                    else Dropout.RowPlus(row, residual + at, columns, dropout.Probability, dropout.Random, dropout.First(r, columns), sum + at);
                    row = sum + (r * columns);
                }

                T m = RowSum.One<TSimd, T>(row, columns) / size;
                T inverse = T.One / T.Sqrt((SquaredDeviations<TSimd>(row, m) / size) + epsilon);
                mean[r] = m;
                inverseDeviation[r] = inverse;
                Normalise<TSimd>(row, m, inverse, y + (r * columns));
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Add<TSimd>(T* a, T* b, T* output)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint c = 0;
            for (; c <= columns - TSimd.Count; c += TSimd.Count) TSimd.Store(TSimd.Load(a + c) + TSimd.Load(b + c), output + c);
            int rest = (int)(columns - c);
            if (rest > 0)
                TSimd.StorePartial(TSimd.LoadPartial(a + c, rest, default) + TSimd.LoadPartial(b + c, rest, default), output + c, rest);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private T SquaredDeviations<TSimd>(T* row, T m)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            TSimd center = TSimd.Create(m);
            TSimd s0 = default, s1 = default, s2 = default, s3 = default;
            nint c = 0;
            for (; c <= columns - (4 * TSimd.Count); c += 4 * TSimd.Count)
            {
                TSimd d0 = TSimd.Load(row + c) - center;
                TSimd d1 = TSimd.Load(row + c + TSimd.Count) - center;
                TSimd d2 = TSimd.Load(row + c + (2 * TSimd.Count)) - center;
                TSimd d3 = TSimd.Load(row + c + (3 * TSimd.Count)) - center;
                s0 = TSimd.MultiplyAdd(d0, d0, s0);
                s1 = TSimd.MultiplyAdd(d1, d1, s1);
                s2 = TSimd.MultiplyAdd(d2, d2, s2);
                s3 = TSimd.MultiplyAdd(d3, d3, s3);
            }

            for (; c < columns; c += TSimd.Count)
            {
                TSimd d = TSimd.LoadPartial(row + c, (int)Math.Min(TSimd.Count, columns - c), center) - center;
                s0 = TSimd.MultiplyAdd(d, d, s0);
            }

            return TSimd.Sum(s0 + s1 + (s2 + s3));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Normalise<TSimd>(T* row, T m, T inverse, T* output)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            TSimd center = TSimd.Create(m);
            TSimd factor = TSimd.Create(inverse);
            nint c = 0;
            for (; c <= columns - TSimd.Count; c += TSimd.Count)
                TSimd.Store(Affine(TSimd.Load(row + c), center, factor, TSimd.Load(gamma + c), TSimd.Load(beta + c)), output + c);
            int rest = (int)(columns - c);
            if (rest == 0) return;
            TSimd g = TSimd.LoadPartial(gamma + c, rest, default);
            TSimd b = TSimd.LoadPartial(beta + c, rest, default);
            TSimd.StorePartial(Affine(TSimd.LoadPartial(row + c, rest, default), center, factor, g, b), output + c, rest);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TSimd Affine<TSimd>(TSimd value, TSimd center, TSimd factor, TSimd g, TSimd b)
            where TSimd : unmanaged, ISimd<TSimd, T> => TSimd.MultiplyAdd((value - center) * factor, g, b);
    }
}
