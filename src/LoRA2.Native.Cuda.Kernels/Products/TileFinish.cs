using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>Takes a tile's sums from shared memory, rows of <c>columns</c> + 8 floats, to the result, four neighbours at a time and four rows in flight.</summary>
internal static unsafe class TileFinish
{
    /// <summary>The shared memory's address.</summary>
    public static nint AddressOf(ArrayView<float> shared)
    {
        fixed (float* first = &shared[0]) return (nint)first;
    }

    public static void Store(ArrayView<float> shared, ProductOutput output, int firstRow, int firstColumn, int rows, int columns, int threads)
    {
        int step = columns + 8, thread = Group.IdxX;
        rows = output.M - firstRow < rows ? output.M - firstRow : rows;
        if (output.InVectors)
        {
            int fours = columns / 4, stepOfFours = step / 4, rowsAtOnce = threads / fours;
            int four = thread % fours, first = thread / fours, column = firstColumn + (4 * four);
            if (column >= output.N) return;
            ArrayView<Float4> sums = shared.Cast<Float4>();
            Float4 bias = output.Bias(column);
            for (int row = first; row < rows; row += 4 * rowsAtOnce)
            {
                int row1 = row + rowsAtOnce, row2 = row1 + rowsAtOnce, row3 = row2 + rowsAtOnce;
                Float4 added0 = output.Added(firstRow + row, column), added1 = default, added2 = default, added3 = default;
                if (row1 < rows) added1 = output.Added(firstRow + row1, column);
                if (row2 < rows) added2 = output.Added(firstRow + row2, column);
                if (row3 < rows) added3 = output.Added(firstRow + row3, column);
                int at = (row * stepOfFours) + four, stepOfRows = rowsAtOnce * stepOfFours;
                sums[at] = output.Store(firstRow + row, column, sums[at], added0, bias);
                if (row1 < rows) sums[at + stepOfRows] = output.Store(firstRow + row1, column, sums[at + stepOfRows], added1, bias);
                if (row2 < rows) sums[at + (2 * stepOfRows)] = output.Store(firstRow + row2, column, sums[at + (2 * stepOfRows)], added2, bias);
                if (row3 < rows) sums[at + (3 * stepOfRows)] = output.Store(firstRow + row3, column, sums[at + (3 * stepOfRows)], added3, bias);
            }

            if (!output.IsActivated) return;
            for (int row = first; row < rows; row += rowsAtOnce) output.Activate(firstRow + row, column, sums[(row * stepOfFours) + four]);
            return;
        }

        for (int i = thread; i < rows * columns; i += threads)
        {
            int row = i / columns, column = i - (row * columns);
            if (firstColumn + column < output.N) output.Store(firstRow + row, firstColumn + column, shared[(row * step) + column]);
        }
    }
}
