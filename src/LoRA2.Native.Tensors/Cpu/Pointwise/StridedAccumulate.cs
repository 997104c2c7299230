using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>
/// Adds a contiguous array into a strided one, the inverse of <see cref="StridedCopy"/>: along a dimension of stride 0 the elements are
/// summed. Apart from those, elements of the strided array must not overlap. Each destination element is the work of one part, which adds
/// to it in the contiguous array's order.
/// </summary>
internal static unsafe class StridedAccumulate
{
    private const nint LeastInRow = 64;
    private const nint Group = 16;

    /// <summary>destination[strided] += source[contiguous], for every element of <paramref name="shape"/>.</summary>
    public static void Run<T>(T* source, ReadOnlySpan<nint> shape, ReadOnlySpan<nint> strides, T* destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        StridedLayout layout = new(shape, strides);
        if (layout.Total == 0) return;
        // Only a dimension that moves the destination can be shared out between threads; the largest gives the most parts.
        int split = -1;
        for (int d = 0; d < layout.Rank; d++)
        {
            if (layout.Stride(d) != 0 && (split < 0 || layout.Size(d) > layout.Size(split))) split = d;
        }

        nint size = split < 0 ? 1 : layout.Size(split);
        nint chunk = Math.Max(1, (nint)(SimdTask.BlockElements / Math.Max(1.0, (double)layout.Total / size)));
        // Pieces of rows that are no shorter than the threads need: what each is changes no sum, and memory is best read in order.
        if (split == layout.Rank - 1) chunk = Math.Max(Math.Max(chunk, LeastInRow), (size + ThreadTeam.Available - 1) / ThreadTeam.Available);
        if (split < 0 || layout.Total <= SimdTask.BlockElements) chunk = size;
        SimdTask.Run<T, ChunkTask<T>>(SimdTask.Parts(size, chunk), new(source, layout, split, chunk, destination));
    }

    private readonly struct ChunkTask<T>(T* source, StridedLayout layout, int split, nint chunk, T* destination) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            StridedLayout part = layout;
            T* from = source;
            T* to = destination;
            if (split >= 0)
            {
                nint first = index * chunk;
                part = layout.Narrow(split, Math.Min(chunk, layout.Size(split) - first));
                from += first * layout.ContiguousStride(split);
                to += first * layout.Stride(split);
            }

            nint rows = 1;
            for (int d = 0; d < part.Rank - 1; d++) rows *= part.Size(d);
            int above = part.Rank - 2;
            nint run = above < 0 ? 1 : part.Size(above);
            nint step = above < 0 ? 0 : part.ContiguousStride(above), down = above < 0 ? 0 : part.Stride(above);
            for (nint r = 0; r < rows; r += run)
            {
                part.RowOffsets(r, out nint offset, out nint dense);
                if (run > 1 && down == 0 && part.RowStride == 1)
                {
                    for (nint n = 0; n < run; n += Group) Rows<TSimd>(from + dense + (n * step), Math.Min(Group, run - n), step, part.RowLength, to + offset);
                    continue;
                }

                for (nint n = 0; n < run; n++) Row<TSimd>(from + dense + (n * step), part.RowLength, part.RowStride, to + offset + (n * down));
            }
        }

        // Rows that all go into one: the sum so far of some columns stays in registers.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Rows<TSimd>(T* from, nint rows, nint step, nint length, T* to)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint c = 0;
            for (; c <= length - (4 * TSimd.Count); c += 4 * TSimd.Count)
            {
                T* x = from + c;
                T* y = to + c;
                TSimd s0 = TSimd.Load(y), s1 = TSimd.Load(y + TSimd.Count), s2 = TSimd.Load(y + (2 * TSimd.Count)), s3 = TSimd.Load(y + (3 * TSimd.Count));
                for (nint r = 0; r < rows; r++, x += step)
                {
                    s0 += TSimd.Load(x);
                    s1 += TSimd.Load(x + TSimd.Count);
                    s2 += TSimd.Load(x + (2 * TSimd.Count));
                    s3 += TSimd.Load(x + (3 * TSimd.Count));
                }

                TSimd.Store(s0, y);
                TSimd.Store(s1, y + TSimd.Count);
                TSimd.Store(s2, y + (2 * TSimd.Count));
                TSimd.Store(s3, y + (3 * TSimd.Count));
            }

            for (; c < length; c += TSimd.Count)
            {
                int lanes = (int)Math.Min(TSimd.Count, length - c);
                TSimd sum = TSimd.LoadPartial(to + c, lanes, default);
                for (nint r = 0; r < rows; r++) sum += TSimd.LoadPartial(from + (r * step) + c, lanes, default);
                TSimd.StorePartial(sum, to + c, lanes);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Row<TSimd>(T* from, nint length, nint stride, T* to)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            if (stride == 0)
            {
                *to += VectorMath.Scalar<T>(Reduction.SumBlock(from, length));
            }
            else if (stride == 1)
            {
                nint i = 0;
                for (; i <= length - TSimd.Count; i += TSimd.Count) TSimd.Store(TSimd.Load(to + i) + TSimd.Load(from + i), to + i);
                int rest = (int)(length - i);
                if (rest > 0)
                    TSimd.StorePartial(TSimd.LoadPartial(to + i, rest, default) + TSimd.LoadPartial(from + i, rest, default), to + i, rest);
            }
            else
            {
                for (nint i = 0; i < length; i++) to[i * stride] += from[i];
            }
        }
    }
}
