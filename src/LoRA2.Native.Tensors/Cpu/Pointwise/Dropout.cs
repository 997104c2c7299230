using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>
/// Dropout: y_i = x_i / (1 − p) where the random 32-bit word i is at least p · 2³², else 0. Word i is a pure function of the seed, the
/// stream and i (<see cref="Philox.UInt32At"/>), so no mask is kept: the backward pass is this function applied to the gradient, and a
/// range of elements may be done alone.
/// </summary>
internal static unsafe class Dropout
{
    private const int Chunk = 1024;

    /// <summary>y = (or +=) dropout(x), over elements 0 … <paramref name="count"/> − 1. <paramref name="y"/> may be <paramref name="x"/>.</summary>
    public static void Run<T>(T* x, nint count, double probability, Philox random, T* y, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        ThreadTeam.Run(SimdTask.Parts(count), new BlockTask<T>(x, count, probability, random, y, accumulate));

    /// <summary>y = dropout(x) for rows that may be some of a larger whole's. <paramref name="y"/> may be <paramref name="x"/>.</summary>
    public static void Rows<T>(T* x, nint rows, nint columns, RowDropout dropout, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        ThreadTeam.Run(SimdTask.Parts(rows, SimdTask.RowsPerPart(columns)), new RowsTask<T>(x, rows, columns, dropout, y));

    /// <summary>The same on this thread, for elements numbered from <paramref name="start"/>; pointers are to the first of them.</summary>
    public static void Row<T>(T* x, nint count, double probability, Philox random, ulong start, T* y, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        RowPlus(x, accumulate ? y : null, count, probability, random, start, y);

    /// <summary>y = addend + dropout(x) on this thread, for elements numbered from <paramref name="start"/>; pointers are to the first of them.</summary>
    public static void RowPlus<T>(T* x, T* addend, nint count, double probability, Philox random, ulong start, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        SimdTask.RunPart<T, RowTask<T>>(new(x, count, probability, random, start, y, addend), 0);

    private readonly struct BlockTask<T>(T* x, nint count, double probability, Philox random, T* y, bool accumulate) : IParallelTask
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int index)
        {
            nint start = (nint)index * SimdTask.BlockElements;
            nint length = Math.Min(SimdTask.BlockElements, count - start);
            Row(x + start, length, probability, random, (ulong)start, y + start, accumulate);
        }
    }

    private readonly struct RowsTask<T>(T* x, nint rows, nint columns, RowDropout dropout, T* y) : IParallelTask
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int index)
        {
            nint block = SimdTask.RowsPerPart(columns);
            nint end = Math.Min(rows, (index + 1) * block);
            for (nint r = index * block; r < end; r++) Row(x + (r * columns), columns, dropout.Probability, dropout.Random, dropout.First(r, columns), y + (r * columns), accumulate: false);
        }
    }

    private readonly struct RowTask<T>(T* x, nint count, double probability, Philox random, ulong start, T* y, T* addend) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            // A block before the first element and a register past the last one may be read.
            uint* words = stackalloc uint[Chunk + 24];
            bool none = probability >= 1;
            uint threshold = DropoutMask.ThresholdOf(probability);
            TSimd scale = none ? default : TSimd.Create(VectorMath.Scalar<T>(1 / (1 - probability)));
            for (nint done = 0; done < count; done += Chunk)
            {
                int length = (int)Math.Min(Chunk, count - done);
                ulong at = start + (ulong)done;
                int skip = (int)(at & 3);
                if (!none) random.Fill(at >> 2, (skip + length + 3) >> 2, words);
                Apply(x + done, words + skip, length, threshold, scale, none, addend == null ? null : addend + done, y + done);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Apply<TSimd>(T* from, uint* words, int length, uint threshold, TSimd scale, bool none, T* plus, T* to)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            int i = 0;
            for (; i <= length - TSimd.Count; i += TSimd.Count)
            {
                TSimd v = none ? default : TSimd.LoadAtLeast(words + i, threshold) & (TSimd.Load(from + i) * scale);
                TSimd.Store(plus != null ? TSimd.Load(plus + i) + v : v, to + i);
            }

            int rest = length - i;
            if (rest == 0) return;
            TSimd last = none ? default : TSimd.LoadAtLeast(words + i, threshold) & (TSimd.LoadPartial(from + i, rest, default) * scale);
            TSimd.StorePartial(plus != null ? TSimd.LoadPartial(plus + i, rest, default) + last : last, to + i, rest);
        }
    }
}
