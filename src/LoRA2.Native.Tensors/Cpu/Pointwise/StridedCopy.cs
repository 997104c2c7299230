using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>Copies a strided or broadcast array of up to six dimensions to a contiguous one; the inverse is <see cref="StridedAccumulate"/>.</summary>
internal static unsafe class StridedCopy
{
    private const int Tile = 16;

    /// <summary>
    /// destination, contiguous, = the array of <paramref name="shape"/> whose elements are <paramref name="strides"/> elements apart in
    /// <paramref name="source"/> (0 broadcasts; negative strides are allowed).
    /// </summary>
    public static void Run<T>(T* source, ReadOnlySpan<nint> shape, ReadOnlySpan<nint> strides, T* destination)
        where T : unmanaged
    {
        StridedLayout layout = new(shape, strides);
        if (layout.Total == 0) return;
        if (layout.Rank == 1 && layout.RowStride == 1)
        {
            Elementwise.Copy(source, layout.Total, destination);
            return;
        }

        nint block = SimdTask.RowsPerPart(layout.RowLength);
        ThreadTeam.Run(SimdTask.Parts(layout.Rows, block), new RowsTask<T>(source, layout, block, destination));
    }

    private readonly struct RowsTask<T>(T* source, StridedLayout layout, nint block, T* destination) : IParallelTask
        where T : unmanaged
    {
        public void Run(int index)
        {
            nint length = layout.RowLength;
            nint stride = layout.RowStride;
            nint end = Math.Min(layout.Rows, (index + 1) * block);
            int above = layout.Rank - 2;
            bool transposed = above >= 0 && layout.Stride(above) == 1 && stride != 1;
            for (nint r = index * block; r < end;)
            {
                layout.RowOffsets(r, out nint offset, out nint dense);
                T* from = source + offset;
                T* to = destination + dense;
                if (transposed)
                {
                    nint rows = Math.Min(Math.Min(Tile, end - r), layout.Size(above) - (r % layout.Size(above)));
                    Transpose(from, rows, to);
                    r += rows;
                    continue;
                }

                if (stride == 1) NativeMemory.Copy(from, to, (nuint)(length * sizeof(T)));
                else if (stride == 0) new Span<T>(to, checked((int)length)).Fill(*from);
                else for (nint i = 0; i < length; i++) to[i] = from[i * stride];
                r++;
            }
        }

        // Rows that are neighbours in the source, by way of a tile that stays in L1: whole cache lines are read and written.
        [SkipLocalsInit]
        private void Transpose(T* from, nint rows, T* to)
        {
            T* tile = stackalloc T[Tile * Tile];
            nint length = layout.RowLength;
            nint stride = layout.RowStride;
            for (nint i = 0; i < length; i += Tile)
            {
                nint columns = Math.Min(Tile, length - i);
                for (nint c = 0; c < columns; c++)
                {
                    T* column = from + ((i + c) * stride);
                    for (nint r = 0; r < rows; r++) tile[(r * Tile) + c] = column[r];
                }

                for (nint r = 0; r < rows; r++)
                    new ReadOnlySpan<T>(tile + (r * Tile), (int)columns).CopyTo(new Span<T>(to + (r * length) + i, (int)columns));
            }
        }
    }
}
