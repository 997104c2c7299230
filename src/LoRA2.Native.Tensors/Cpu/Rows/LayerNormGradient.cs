using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>
/// Gradients of <see cref="LayerNorm"/>, from the normalised input x (the sum, if there was a residual) and each row's mean and 1/√(…).
/// With g = γ dy: dx = (g − mean(g) − x̂ mean(g x̂)) / √(variance + ε); dγ = Σ_rows dy x̂; dβ = Σ_rows dy.
/// </summary>
internal static unsafe class LayerNormGradient
{
    private const int Group = 32;

    /// <summary>
    /// dx = (or +=) the gradient of the normalised input, which may be <paramref name="dy"/>; and where <paramref name="dropped"/> is not null,
    /// dropped = dropout(dx), which may be <paramref name="dx"/>.
    /// </summary>
    public static void Input<T>(
        T* x, T* gamma, T* mean, T* inverseDeviation, T* dy, nint rows, nint columns, T* dx, bool accumulate, RowDropout dropout = default, T* dropped = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (rows == 0 || columns == 0) return;
        int parts = SimdTask.Parts(rows, SimdTask.RowsPerPart(columns));
        SimdTask.Run<T, InputTask<T>>(parts, new(x, gamma, mean, inverseDeviation, dy, rows, columns, dx, accumulate, dropout, dropped));
    }

    /// <summary>
    /// dγ and dβ = (or +=) their gradients. A part takes one register's columns through all rows, in order, in groups of 32 rows.
    /// </summary>
    public static void Parameters<T>(
        T* x, T* mean, T* inverseDeviation, T* dy, nint rows, nint columns, T* dgamma, T* dbeta, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ParametersTask<T> task = new(x, mean, inverseDeviation, dy, rows, columns, dgamma, dbeta, accumulate);
        int parts = SimdTask.Parts(columns, Strip<T>());
        if (rows * columns > SimdTask.BlockElements)
        {
            SimdTask.Run<T, ParametersTask<T>>(parts, task);
            return;
        }

        for (int i = 0; i < parts; i++) SimdTask.RunPart<T, ParametersTask<T>>(task, i);
    }

    private static nint Strip<T>()
        where T : unmanaged => 256 / sizeof(T);

    private readonly struct InputTask<T>(
        T* x, T* gamma, T* mean, T* inverseDeviation, T* dy, nint rows, nint columns, T* dx, bool accumulate, RowDropout dropout, T* dropped) : ISimdTask<T>
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
                Row<TSimd>(r);
                nint at = r * columns;
                if (dropped != null) Dropout.RowPlus(dx + at, null, columns, dropout.Probability, dropout.Random, dropout.First(r, columns), dropped + at);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Row<TSimd>(nint r)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            T* from = x + (r * columns);
            T* upstream = dy + (r * columns);
            T* to = dx + (r * columns);
            TSimd center = TSimd.Create(mean[r]);
            TSimd factor = TSimd.Create(inverseDeviation[r]);
            nint full = columns - (columns % TSimd.Count);
            int rest = (int)(columns - full);

            TSimd sum0 = default, sum1 = default, dot0 = default, dot1 = default;
            nint c = 0;
            for (; c <= columns - (2 * TSimd.Count); c += 2 * TSimd.Count)
            {
                TSimd g0 = TSimd.Load(gamma + c) * TSimd.Load(upstream + c);
                TSimd g1 = TSimd.Load(gamma + c + TSimd.Count) * TSimd.Load(upstream + c + TSimd.Count);
                sum0 += g0;
                sum1 += g1;
                dot0 = TSimd.MultiplyAdd(g0, (TSimd.Load(from + c) - center) * factor, dot0);
                dot1 = TSimd.MultiplyAdd(g1, (TSimd.Load(from + c + TSimd.Count) - center) * factor, dot1);
            }

            for (; c < columns; c += TSimd.Count)
            {
                int lanes = (int)Math.Min(TSimd.Count, columns - c);
                TSimd g = TSimd.LoadPartial(gamma + c, lanes, default) * TSimd.LoadPartial(upstream + c, lanes, default);
                sum0 += g;
                dot0 = TSimd.MultiplyAdd(g, (TSimd.LoadPartial(from + c, lanes, center) - center) * factor, dot0);
            }

            T size = T.CreateTruncating(columns);
            TSimd meanG = TSimd.Create(TSimd.Sum(sum0 + sum1) / size);
            TSimd meanDot = TSimd.Create(TSimd.Sum(dot0 + dot1) / size);
            for (c = 0; c < full; c += TSimd.Count)
            {
                TSimd g = TSimd.Load(gamma + c) * TSimd.Load(upstream + c);
                TSimd v = Gradient(g, (TSimd.Load(from + c) - center) * factor, meanG, meanDot, factor);
                TSimd.Store(accumulate ? TSimd.Load(to + c) + v : v, to + c);
            }

            if (rest > 0)
            {
                TSimd g = TSimd.LoadPartial(gamma + c, rest, default) * TSimd.LoadPartial(upstream + c, rest, default);
                TSimd v = Gradient(g, (TSimd.LoadPartial(from + c, rest, center) - center) * factor, meanG, meanDot, factor);
                TSimd.StorePartial(accumulate ? TSimd.LoadPartial(to + c, rest, default) + v : v, to + c, rest);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TSimd Gradient<TSimd>(TSimd g, TSimd normal, TSimd meanG, TSimd meanDot, TSimd factor)
            where TSimd : unmanaged, ISimd<TSimd, T> => (g - meanG - (normal * meanDot)) * factor;
    }

    private readonly struct ParametersTask<T>(
        T* x, T* mean, T* inverseDeviation, T* dy, nint rows, nint columns, T* dgamma, T* dbeta, bool accumulate) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint c = index * Strip<T>();
            nint end = Math.Min(columns, c + Strip<T>());
            for (; c <= end - (2 * TSimd.Count); c += 2 * TSimd.Count) Two<TSimd>(c);
            for (; c < end; c += TSimd.Count) One<TSimd>(c, (int)Math.Min(TSimd.Count, end - c));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Two<TSimd>(nint c)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            TSimd gamma0 = default, gamma1 = default, beta0 = default, beta1 = default;
            for (nint r = 0; r < rows;)
            {
                TSimd g0 = default, g1 = default, b0 = default, b1 = default;
                nint stop = Math.Min(rows, r + Group);
                for (; r < stop; r++)
                {
                    T* from = x + (r * columns) + c;
                    T* upstream = dy + (r * columns) + c;
                    TSimd center = TSimd.Create(mean[r]);
                    TSimd factor = TSimd.Create(inverseDeviation[r]);
                    TSimd d0 = TSimd.Load(upstream);
                    TSimd d1 = TSimd.Load(upstream + TSimd.Count);
                    g0 = TSimd.MultiplyAdd(d0, (TSimd.Load(from) - center) * factor, g0);
                    g1 = TSimd.MultiplyAdd(d1, (TSimd.Load(from + TSimd.Count) - center) * factor, g1);
                    b0 += d0;
                    b1 += d1;
                }

                gamma0 += g0;
                gamma1 += g1;
                beta0 += b0;
                beta1 += b1;
            }

            Put(gamma0, dgamma + c, TSimd.Count);
            Put(gamma1, dgamma + c + TSimd.Count, TSimd.Count);
            Put(beta0, dbeta + c, TSimd.Count);
            Put(beta1, dbeta + c + TSimd.Count, TSimd.Count);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void One<TSimd>(nint c, int lanes)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            TSimd gamma = default, beta = default;
            for (nint r = 0; r < rows;)
            {
                TSimd g = default, b = default;
                nint stop = Math.Min(rows, r + Group);
                for (; r < stop; r++)
                {
                    TSimd center = TSimd.Create(mean[r]);
                    TSimd d = TSimd.LoadPartial(dy + (r * columns) + c, lanes, default);
                    TSimd normal = (TSimd.LoadPartial(x + (r * columns) + c, lanes, center) - center) * TSimd.Create(inverseDeviation[r]);
                    g = TSimd.MultiplyAdd(d, normal, g);
                    b += d;
                }

                gamma += g;
                beta += b;
            }

            Put(gamma, dgamma + c, lanes);
            Put(beta, dbeta + c, lanes);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Put<TSimd>(TSimd value, T* destination, int lanes)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            if (accumulate) value = TSimd.LoadPartial(destination, lanes, default) + value;
            TSimd.StorePartial(value, destination, lanes);
        }
    }
}
