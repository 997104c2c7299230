using ILGPU;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>
/// Products in float32 with a thin result (an adapter's factors and their gradients), which take as long as reading the one big operand: eight columns of the
/// result a block. What the result's rows are in c, its columns may be: <c>turned</c>.
/// </summary>
[KernelFamily]
internal static unsafe class GemmThin
{
    private const int Width = 8;
    private const int Chunk = 1024;
    private const int RowsOfWarp = 4;
    private const int Warps = 8;
    private const int Rows = 64;
    private const int Columns = 128;

    /// <summary>
    /// c(row, j) = Σ_k x(row, k) y(k, j), for x with k along its rows: a warp takes four rows, a lane every 32nd four of k; y waits in shared memory. 256
    /// threads; the grid is 32 rows × 8 columns. vectors: whether k is a multiple of 4 and x is aligned.
    /// </summary>
    public static void AlongRows(
        nint x, int k, int vectors, nint y, int yRow, int yColumn, int rows, int columns, int turned, nint c, nint bias, nint residual, nint activated, int flags, float alpha, float beta, int m, int n)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(Width * Chunk);
        int lane = Group.IdxX % 32, row = ((Grid.IdxX * Warps) + (Group.IdxX / 32)) * RowsOfWarp, first = Grid.IdxY * Width;
        int last = rows - 1;
        uint at0 = (uint)Smaller(row, last) * (uint)k, at1 = (uint)Smaller(row + 1, last) * (uint)k, at2 = (uint)Smaller(row + 2, last) * (uint)k, at3 = (uint)Smaller(row + 3, last) * (uint)k;
        Eight sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        float* px = (float*)x;
        float* py = (float*)y;
        for (int start = 0; start < k; start += Chunk)
        {
            int depth = Smaller(Chunk, k - start);
            Group.Barrier();
            for (int i = Group.IdxX; i < Width * Chunk; i += 32 * Warps)
            {
                int j = yColumn == 1 ? i % Width : i / Chunk, d = yColumn == 1 ? i / Width : i % Chunk;
                float value = 0;
                if (d < depth && first + j < columns) value = py[((uint)(start + d) * (uint)yRow) + ((uint)(first + j) * (uint)yColumn)];
                shared[(j * Chunk) + d] = value;
            }

            Group.Barrier();
            if (vectors != 0)
            {
                ArrayView<Float4> fours = shared.Cast<Float4>();
                for (int d = 4 * lane; d < depth; d += 4 * 32)
                {
                    uint at = (uint)(start + d);
                    Float4 x0 = *(Float4*)(px + (at0 + at)), x1 = *(Float4*)(px + (at1 + at)), x2 = *(Float4*)(px + (at2 + at)), x3 = *(Float4*)(px + (at3 + at));
                    int from = d / 4;
                    Float4 y0 = fours[from], y1 = fours[from + (Chunk / 4)], y2 = fours[from + (2 * Chunk / 4)], y3 = fours[from + (3 * Chunk / 4)];
                    sum0.Low = Dots(x0, y0, y1, y2, y3, sum0.Low);
                    sum1.Low = Dots(x1, y0, y1, y2, y3, sum1.Low);
                    sum2.Low = Dots(x2, y0, y1, y2, y3, sum2.Low);
                    sum3.Low = Dots(x3, y0, y1, y2, y3, sum3.Low);
                    y0 = fours[from + (4 * Chunk / 4)];
                    y1 = fours[from + (5 * Chunk / 4)];
                    y2 = fours[from + (6 * Chunk / 4)];
                    y3 = fours[from + (7 * Chunk / 4)];
                    sum0.High = Dots(x0, y0, y1, y2, y3, sum0.High);
                    sum1.High = Dots(x1, y0, y1, y2, y3, sum1.High);
                    sum2.High = Dots(x2, y0, y1, y2, y3, sum2.High);
                    sum3.High = Dots(x3, y0, y1, y2, y3, sum3.High);
                }
            }
            else
            {
                for (int d = lane; d < depth; d += 32)
                {
                    uint at = (uint)(start + d);
                    var low = new Float4(shared[d], shared[Chunk + d], shared[(2 * Chunk) + d], shared[(3 * Chunk) + d]);
                    var high = new Float4(shared[(4 * Chunk) + d], shared[(5 * Chunk) + d], shared[(6 * Chunk) + d], shared[(7 * Chunk) + d]);
                    sum0.Add(px[at0 + at], low, high);
                    sum1.Add(px[at1 + at], low, high);
                    sum2.Add(px[at2 + at], low, high);
                    sum3.Add(px[at3 + at], low, high);
                }
            }
        }

        var output = new ProductOutput(c, 0, bias, residual, activated, flags, alpha, beta, m, n);
        Finish(output, turned, lane, row, rows, first, columns, sum0);
        Finish(output, turned, lane, row + 1, rows, first, columns, sum1);
        Finish(output, turned, lane, row + 2, rows, first, columns, sum2);
        Finish(output, turned, lane, row + 3, rows, first, columns, sum3);
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

    /// <summary>Adds up the lanes' sums of one row; lane j writes column j.</summary>
    private static void Finish(ProductOutput output, int turned, int lane, int row, int rows, int first, int columns, Eight sum)
    {
        float x0 = Sum(sum.Low.X), x1 = Sum(sum.Low.Y), x2 = Sum(sum.Low.Z), x3 = Sum(sum.Low.W);
        float x4 = Sum(sum.High.X), x5 = Sum(sum.High.Y), x6 = Sum(sum.High.Z), x7 = Sum(sum.High.W);
        float mine = lane < 4 ? (lane < 2 ? (lane == 0 ? x0 : x1) : (lane == 2 ? x2 : x3)) : lane < 6 ? (lane == 4 ? x4 : x5) : (lane == 6 ? x6 : x7);
        if (lane >= Width || row >= rows || first + lane >= columns) return;
        if (turned != 0) output.Store(first + lane, row, mine);
        else output.Store(row, first + lane, mine);
    }

    private static float Sum(float x)
    {
        x += Warp.ShuffleXor(x, 16);
        x += Warp.ShuffleXor(x, 8);
        x += Warp.ShuffleXor(x, 4);
        x += Warp.ShuffleXor(x, 2);
        return x + Warp.ShuffleXor(x, 1);
    }

    private static Float4 Dots(Float4 x, Float4 y0, Float4 y1, Float4 y2, Float4 y3, Float4 sum) =>
        new(Dot(x, y0, sum.X), Dot(x, y1, sum.Y), Dot(x, y2, sum.Z), Dot(x, y3, sum.W));

    private static float Dot(Float4 x, Float4 y, float sum) => (x.W * y.W) + ((x.Z * y.Z) + ((x.Y * y.Y) + ((x.X * y.X) + sum)));

    private static int Smaller(int a, int b) => a < b ? a : b;

    /// <summary>The sums of one row.</summary>
    private struct Eight
    {
        public Float4 Low;
        public Float4 High;

        public void Add(float x, Float4 low, Float4 high)
        {
            Low = Float4.MultiplyAdd(x, low, Low);
            High = Float4.MultiplyAdd(x, high, High);
        }
    }
}
