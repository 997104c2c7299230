using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>Rows divided by their Euclidean length, or by ε where they are shorter: y = x r with r = 1 / max(‖x‖, ε).</summary>
internal static unsafe class NormalizedRows
{
    /// <summary>y, and each row's r, negative where ε was divided by.</summary>
    public static void Forward<T>(T* x, T epsilon, nint rows, nint columns, T* y, T* reciprocal)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        SimdTask.Run<T, ForwardTask<T>>(SimdTask.Parts(rows, SimdTask.RowsPerPart(columns)), new(x, epsilon, rows, columns, y, reciprocal));

    /// <summary>dx = |r| (dy − y Σ_c y dy); without the sum where r is negative.</summary>
    public static void Backward<T>(T* y, T* reciprocal, T* dy, nint rows, nint columns, T* dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        SimdTask.Run<T, BackwardTask<T>>(SimdTask.Parts(rows, SimdTask.RowsPerPart(columns)), new(y, reciprocal, dy, rows, columns, dx));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T Dot<TSimd, T>(T* a, T* b, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd sum = default;
        nint c = 0;
        for (; c <= count - TSimd.Count; c += TSimd.Count) sum = TSimd.MultiplyAdd(TSimd.Load(a + c), TSimd.Load(b + c), sum);
        int rest = (int)(count - c);
        if (rest > 0) sum = TSimd.MultiplyAdd(TSimd.LoadPartial(a + c, rest, default), TSimd.LoadPartial(b + c, rest, default), sum);
        return TSimd.Sum(sum);
    }

    private readonly struct ForwardTask<T>(T* x, T epsilon, nint rows, nint columns, T* y, T* reciprocal) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint block = SimdTask.RowsPerPart(columns);
            nint end = Math.Min(rows, (index + 1) * block);
            for (nint row = index * block; row < end; row++)
            {
                T* from = x + (row * columns);
                T* to = y + (row * columns);
                T length = T.Sqrt(Dot<TSimd, T>(from, from, columns));
                T r = T.One / (length < epsilon ? epsilon : length);
                reciprocal[row] = length < epsilon ? -r : r;
                TSimd factor = TSimd.Create(r);
                nint c = 0;
                for (; c <= columns - TSimd.Count; c += TSimd.Count) TSimd.Store(TSimd.Load(from + c) * factor, to + c);
                int rest = (int)(columns - c);
                if (rest > 0) TSimd.StorePartial(TSimd.LoadPartial(from + c, rest, default) * factor, to + c, rest);
            }
        }
    }

    private readonly struct BackwardTask<T>(T* y, T* reciprocal, T* dy, nint rows, nint columns, T* dx) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint block = SimdTask.RowsPerPart(columns);
            nint end = Math.Min(rows, (index + 1) * block);
            for (nint row = index * block; row < end; row++)
            {
                nint at = row * columns;
                T r = reciprocal[row];
                TSimd dot = TSimd.Create(r < T.Zero ? T.Zero : Dot<TSimd, T>(y + at, dy + at, columns));
                TSimd factor = TSimd.Create(T.Abs(r));
                nint c = at, last = at + columns;
                for (; c <= last - TSimd.Count; c += TSimd.Count) TSimd.Store((TSimd.Load(dy + c) - (TSimd.Load(y + c) * dot)) * factor, dx + c);
                int rest = (int)(last - c);
                if (rest > 0)
                    TSimd.StorePartial((TSimd.LoadPartial(dy + c, rest, default) - (TSimd.LoadPartial(y + c, rest, default) * dot)) * factor, dx + c, rest);
            }
        }
    }
}
