using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>
/// Products in float32 on the ordinary units, for whatever the tensor cores are not worth it: tiles of 64 × 64 × 16, 256 threads with 4 × 4 sums each, the
/// next tile on its way from global memory while one is multiplied.
/// </summary>
[KernelFamily]
internal static unsafe class GemmSingle
{
    private const int Side = 64;
    private const int Depth = 16;
    private const int Step = Side + 4;
    private const int ThreadsOfBlock = 256;

    /// <summary>
    /// c = alpha · a b + lowScale · left right + …, for each of a batch of matrices: block number / tiles of one is the matrix. Element (i, k) of a is at
    /// i · aRow + k · aColumn, and likewise of b and right; left is m × rank.
    /// </summary>
    public static void Multiply(
        nint a, int aRow, int aColumn, int aBatch, nint b, int bRow, int bColumn, int bBatch, int k, nint left, nint right, int rightRow, int rightColumn, int rank, float lowScale,
        nint c, nint bias, nint residual, nint activated, int flags, float alpha, float beta, int m, int n)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(2 * Depth * Step);
        int columns = (n + Side - 1) / Side, tiles = ((m + Side - 1) / Side) * columns;
        int batch = Grid.IdxX / tiles, tile = Grid.IdxX - (batch * tiles), row = tile / columns * Side, column = (tile - (tile / columns * columns)) * Side;
        int x = Group.IdxX % Depth, y = Group.IdxX / Depth;
        var from = new TileSource(a, (uint)batch * (uint)aBatch, aRow, aColumn, row, m, k);
        var other = new TileSource(b, (uint)batch * (uint)bBatch, bColumn, bRow, column, n, k);
        ArrayView<Float4> fours = shared.Cast<Float4>();
        Float4 sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        Float4 nextA = from.Load(0), nextB = other.Load(0);
        for (int done = 0; done < k; done += Depth)
        {
            Group.Barrier();
            from.Store(shared, 0, nextA);
            other.Store(shared, Depth * Step, nextB);
            Group.Barrier();
            nextA = from.Load(done + Depth);
            nextB = other.Load(done + Depth);
            for (int i = 0; i < Depth * Step / 4; i += 2 * (Step / 4))
            {
                Float4 p = fours[i + y], q = fours[(Depth * Step / 4) + i + x];
                Float4 s = fours[(Step / 4) + i + y], t = fours[(Depth * Step / 4) + (Step / 4) + i + x];
                sum0 = Float4.MultiplyAdd(s.X, t, Float4.MultiplyAdd(p.X, q, sum0));
                sum1 = Float4.MultiplyAdd(s.Y, t, Float4.MultiplyAdd(p.Y, q, sum1));
                sum2 = Float4.MultiplyAdd(s.Z, t, Float4.MultiplyAdd(p.Z, q, sum2));
                sum3 = Float4.MultiplyAdd(s.W, t, Float4.MultiplyAdd(p.W, q, sum3));
            }
        }

        row += 4 * y;
        column += 4 * x;
        if (row >= m || column >= n) return;
        int row1 = row + 1 < m ? row + 1 : row, row2 = row + 2 < m ? row + 2 : row, row3 = row + 3 < m ? row + 3 : row;
        int column1 = column + 1 < n ? column + 1 : column, column2 = column + 2 < n ? column + 2 : column, column3 = column + 3 < n ? column + 3 : column;
        for (int i = 0; i < rank; i++)
        {
            float* l = (float*)left;
            float* r = (float*)right;
            uint at = (uint)i * (uint)rightRow;
            var q = new Float4(
                r[at + ((uint)column * (uint)rightColumn)], r[at + ((uint)column1 * (uint)rightColumn)], r[at + ((uint)column2 * (uint)rightColumn)], r[at + ((uint)column3 * (uint)rightColumn)]);
            sum0 = Float4.MultiplyAdd(lowScale * l[((uint)row * (uint)rank) + (uint)i], q, sum0);
            sum1 = Float4.MultiplyAdd(lowScale * l[((uint)row1 * (uint)rank) + (uint)i], q, sum1);
            sum2 = Float4.MultiplyAdd(lowScale * l[((uint)row2 * (uint)rank) + (uint)i], q, sum2);
            sum3 = Float4.MultiplyAdd(lowScale * l[((uint)row3 * (uint)rank) + (uint)i], q, sum3);
        }

        var output = new ProductOutput(c, (uint)batch * (uint)m * (uint)n, bias, residual, activated, flags, alpha, beta, m, n);
        Finish(output, row, column, sum0);
        if (row1 > row) Finish(output, row1, column, sum1);
        if (row2 > row) Finish(output, row2, column, sum2);
        if (row3 > row) Finish(output, row3, column, sum3);
    }

    private static void Finish(ProductOutput output, int row, int column, Float4 sum)
    {
        if (output.InVectors)
        {
            Float4 value = output.Store(row, column, sum, output.Added(row, column), output.Bias(column));
            if (output.IsActivated) output.Activate(row, column, value);
            return;
        }

        output.Store(row, column, sum.X);
        if (column + 1 < output.N) output.Store(row, column + 1, sum.Y);
        if (column + 2 < output.N) output.Store(row, column + 2, sum.Z);
        if (column + 3 < output.N) output.Store(row, column + 3, sum.W);
    }

    /// <summary>One operand's tiles: 64 rows (or columns) by 16 along k, four elements a thread, read along whichever axis has them next to each other.</summary>
    private readonly struct TileSource
    {
        private readonly float* x;
        private readonly uint first;
        private readonly int stepOfRow;
        private readonly int stepOfDepth;
        private readonly int rows;
        private readonly int depth;
        private readonly int row;
        private readonly int at;
        private readonly int rowsAtOnce;
        private readonly int depthAtOnce;

        public TileSource(nint x, uint first, int stepOfRow, int stepOfDepth, int row, int rows, int depth)
        {
            this.x = (float*)x;
            this.first = first;
            this.stepOfRow = stepOfRow;
            this.stepOfDepth = stepOfDepth;
            this.rows = rows - row;
            this.depth = depth;
            bool alongDepth = stepOfDepth == 1;
            int inTile = alongDepth ? Group.IdxX / Depth : Group.IdxX % Side;
            at = alongDepth ? Group.IdxX % Depth : Group.IdxX / Side;
            rowsAtOnce = alongDepth ? ThreadsOfBlock / Depth : 0;
            depthAtOnce = alongDepth ? 0 : ThreadsOfBlock / Side;
            this.first += (uint)row * (uint)stepOfRow;
            this.row = inTile;
        }

        public Float4 Load(int done)
        {
            return new Float4(Element(done, 0), Element(done, 1), Element(done, 2), Element(done, 3));
        }

        public void Store(ArrayView<float> shared, int start, Float4 value)
        {
            int to = start + (at * Step) + row, step = rowsAtOnce + (depthAtOnce * Step);
            shared[to] = value.X;
            shared[to + step] = value.Y;
            shared[to + (2 * step)] = value.Z;
            shared[to + (3 * step)] = value.W;
        }

        private float Element(int done, int number)
        {
            int r = row + (number * rowsAtOnce), d = done + at + (number * depthAtOnce);
            float value = 0;
            if (r < rows && d < depth) value = x[first + ((uint)r * (uint)stepOfRow) + ((uint)d * (uint)stepOfDepth)];
            return value;
        }
    }
}
