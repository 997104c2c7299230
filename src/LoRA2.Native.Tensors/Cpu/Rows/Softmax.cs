using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>Softmax of every row of a matrix, with or without a mask of the columns; see <see cref="SoftmaxRow"/> for the arithmetic.</summary>
internal static unsafe class Softmax
{
    /// <summary>y[r, :] = softmax(x[r, :]). <paramref name="y"/> may be <paramref name="x"/>.</summary>
    public static void Forward<T>(T* x, nint rows, nint columns, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ForwardMasked(x, null, 1, T.One, rows, columns, y);

    /// <summary>
    /// y[r, :] = softmax(scale · x[r, :]) over the columns c whose mask[r / rowsPerMask, c] is not 0. Masked columns, and rows with no
    /// column left, are 0. A null mask keeps every column.
    /// </summary>
    public static void ForwardMasked<T>(T* x, int* mask, nint rowsPerMask, T scale, nint rows, nint columns, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (rows == 0 || columns == 0) return;
        int parts = SimdTask.Parts(rows, SimdTask.RowsPerPart(columns));
        SimdTask.Run<T, ForwardTask<T>>(parts, new(x, mask, rowsPerMask, scale, rows, columns, y));
    }

    /// <summary>dx = (or +=) scale · y (dy − Σ y dy), row by row, for both forms.</summary>
    public static void Backward<T>(T* y, T* dy, T scale, nint rows, nint columns, T* dx, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (rows == 0 || columns == 0) return;
        int parts = SimdTask.Parts(rows, SimdTask.RowsPerPart(columns));
        SimdTask.Run<T, BackwardTask<T>>(parts, new(y, dy, scale, rows, columns, dx, accumulate));
    }

    private readonly struct ForwardTask<T>(T* x, int* mask, nint rowsPerMask, T scale, nint rows, nint columns, T* y) : ISimdTask<T>
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
                int* keep = mask == null ? null : mask + (r / rowsPerMask * columns);
                SoftmaxRow.Forward<TSimd, T>(x + (r * columns), keep, scale, columns, y + (r * columns));
            }
        }
    }

    private readonly struct BackwardTask<T>(T* y, T* dy, T scale, nint rows, nint columns, T* dx, bool accumulate) : ISimdTask<T>
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
                nint at = r * columns;
                SoftmaxRow.Backward<TSimd, T>(y + at, dy + at, scale, columns, dx + at, accumulate);
            }
        }
    }
}
