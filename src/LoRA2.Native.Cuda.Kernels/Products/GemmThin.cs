using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>
/// Products in float32 with a thin result (an adapter's factors and their gradients), which take as long as reading the one big operand: eight columns of the
/// result a block. What the result's rows are in c, its columns may be: <c>turned</c>.
/// </summary>
[KernelFamily]
internal static unsafe class GemmThin
{
    private const int Width = ThinRows.Width;
    private const int Rows = 64;
    private const int Columns = 128;

    /// <summary>
    /// c(row, j) = Σ_k x(row, k) y(k, j), for x with k along its rows: a warp takes four rows, a lane every 32nd four of k; y waits in shared memory. 256
    /// threads; the grid is 32 rows × 8 columns. vectors: whether k is a multiple of 4 and x is aligned.
    /// </summary>
    public static void AlongRows(
        nint x, int k, int vectors, nint y, int yRow, int yColumn, int rows, int columns, int turned, nint c, nint bias, nint residual, nint activated, int flags, float alpha, float beta, int m, int n)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(ThinRows.Shared);
        int row = ThinRows.FirstRow, first = Grid.IdxY * ThinRows.Width;
        ThinRows sums = ThinRows.Of(default(NothingMore), shared, x, k, vectors, y, yRow, yColumn, rows, first, columns);
        var output = new ProductOutput(c, 0, bias, residual, activated, flags, alpha, beta, m, n);
        Finish(output, turned, row, rows, first, columns, sums.Row0);
        Finish(output, turned, row + 1, rows, first, columns, sums.Row1);
        Finish(output, turned, row + 2, rows, first, columns, sums.Row2);
        Finish(output, turned, row + 3, rows, first, columns, sums.Row3);
    }

    /// <summary>
    /// parts(part, j, row) = Σ_k x(k, row) y(k, j), for x with k down its columns and k in the part: a thread takes a row of the result. 128 threads; the grid is
    /// 128 rows × 8 columns × parts of <paramref name="depthOfPart"/> of k. A second pass, <see cref="AddParts"/>, adds the parts.
    /// </summary>
    public static void AlongColumns(nint x, int k, int depthOfPart, nint y, int yRow, int yColumn, int rows, int columns, nint parts)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(Width * Rows);
        ArrayView<Float4> fours = shared.Cast<Float4>();
        int row = (Grid.IdxX * Columns) + Group.IdxX, first = Grid.IdxY * Width;
        int start = Grid.IdxZ * depthOfPart, end = Smaller(k, start + depthOfPart);
        uint column = (uint)Smaller(row, rows - 1);
        float* px = (float*)x;
        float* py = (float*)y;
        Eight sum = default;
        for (; start < end; start += Rows)
        {
            int depth = Smaller(Rows, end - start);
            Group.Barrier();
            for (int i = Group.IdxX; i < Width * Rows; i += Columns)
            {
                int j = i % Width, d = i / Width;
                float value = 0;
                if (d < depth && first + j < columns) value = py[((uint)(start + d) * (uint)yRow) + ((uint)(first + j) * (uint)yColumn)];
                shared[i] = value;
            }

            Group.Barrier();
            uint at = ((uint)start * (uint)rows) + column;
            int done = 0;
            for (; done < depth - 3; done += 4, at += 4 * (uint)rows)
            {
                float x0 = px[at], x1 = px[at + (uint)rows], x2 = px[at + (2 * (uint)rows)], x3 = px[at + (3 * (uint)rows)];
                sum.Add(x0, fours[2 * done], fours[(2 * done) + 1]);
                sum.Add(x1, fours[(2 * done) + 2], fours[(2 * done) + 3]);
                sum.Add(x2, fours[(2 * done) + 4], fours[(2 * done) + 5]);
                sum.Add(x3, fours[(2 * done) + 6], fours[(2 * done) + 7]);
            }

            for (; done < depth; done++, at += (uint)rows) sum.Add(px[at], fours[2 * done], fours[(2 * done) + 1]);
        }

        if (row >= rows) return;
        uint to = ((((uint)Grid.IdxZ * (uint)Grid.DimY) + (uint)Grid.IdxY) * Width * (uint)rows) + (uint)row, step = (uint)rows;
        float* p = (float*)parts;
        p[to] = sum.Low.X;
        p[to + step] = sum.Low.Y;
        p[to + (2 * step)] = sum.Low.Z;
        p[to + (3 * step)] = sum.Low.W;
        p[to + (4 * step)] = sum.High.X;
        p[to + (5 * step)] = sum.High.Y;
        p[to + (6 * step)] = sum.High.Z;
        p[to + (7 * step)] = sum.High.W;
    }

    /// <summary>Adds the parts of <see cref="AlongColumns"/> in their order; <paramref name="padded"/>: columns rounded up to a multiple of 8.</summary>
    public static void AddParts(
        nint parts, int count, int rows, int columns, int padded, int turned, nint c, nint bias, nint residual, nint activated, int flags, float alpha, float beta, int m, int n)
    {
        float* from = (float*)parts;
        var output = new ProductOutput(c, 0, bias, residual, activated, flags, alpha, beta, m, n);
        for (uint i = Threads.First; i < (uint)rows * (uint)columns; i += Threads.Count)
        {
            float sum = 0;
            uint at = i, step = (uint)rows * (uint)padded;
            for (int part = 0; part < count; part++, at += step) sum += from[at];
            int column = (int)(i / (uint)rows), row = (int)(i - ((uint)column * (uint)rows));
            if (turned != 0) output.Store(column, row, sum);
            else output.Store(row, column, sum);
        }
    }

    /// <summary>Writes a row's sums, those of column j by lane j.</summary>
    private static void Finish(ProductOutput output, int turned, int row, int rows, int first, int columns, Eight sums)
    {
        int lane = Group.IdxX % 32;
        float mine = sums.OfLane();
        if (lane >= ThinRows.Width || row >= rows || first + lane >= columns) return;
        if (turned != 0) output.Store(first + lane, row, mine);
        else output.Store(row, first + lane, mine);
    }

    private static int Smaller(int a, int b) => a < b ? a : b;
}
