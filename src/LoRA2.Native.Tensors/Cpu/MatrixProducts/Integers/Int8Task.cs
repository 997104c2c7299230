using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>
/// A product of rounded rows and a rounded weight, split into blocks of C, one a part. Within a block panels are the outer loop, strips of up to six rows the inner one, so that a panel stays in the first-level cache
/// and the block's rows in the second.
/// </summary>
internal readonly unsafe struct Int8Task : IParallelTask
{
    private const int TileRows = 6;

    /// <summary>Bytes of rounded rows in a block: half a second-level cache.</summary>
    private const int BlockBytes = 192 * 1024;

    /// <summary>Multiplications below which waking another thread does not pay.</summary>
    private const double SmallestParallel = 1024 * 1024;

    private readonly Int8Tile whole;
    private readonly Epilogue<float> epilogue;
    private readonly int rows;
    private readonly int columns;
    private readonly PartGrid grid;

    public Int8Task(int rows, int columns, in Int8Tile whole, in Epilogue<float> epilogue, int threads)
    {
        (this.rows, this.columns, this.whole, this.epilogue) = (rows, columns, whole, epilogue);
        int strips = PartGrid.Divide(rows, TileRows);
        grid = new PartGrid(strips, PartGrid.Divide(columns, Int8PackedMatrix.PanelColumns), (int)Math.Min(strips, (rows * whole.RowStep * sizeof(short) / BlockBytes) + 1));
        if (threads > 1 && (double)rows * columns * whole.Pairs * 2 >= SmallestParallel) grid = grid.Over(threads, 4, 8);
    }

    public int Parts => grid.Parts;

    public void Run(int index)
    {
        int strips = PartGrid.Divide(rows, TileRows);
        (int strip0, int strip1, int panel0, int panel1) = grid[index];
        float* corner = stackalloc float[TileRows * Int8PackedMatrix.PanelColumns];
        float* cornerBias = stackalloc float[Int8PackedMatrix.PanelColumns];
        bool wide = Vector256.IsHardwareAccelerated && SimdPaths.Current >= SimdPath.Vector256;
        for (int panel = panel0; panel < panel1; panel++)
        {
            int column = panel * Int8PackedMatrix.PanelColumns, count = Math.Min(Int8PackedMatrix.PanelColumns, columns - column);
            Int8Tile tile = whole;
            tile.B += (nint)panel * tile.Pairs * 2 * Int8PackedMatrix.PanelColumns;
            tile.ColumnScales += column;
            if (tile.Bias != null) tile.Bias += column;
            bool partial = count < Int8PackedMatrix.PanelColumns;
            if (partial && tile.Bias != null)
            {
                new Span<float>(tile.Bias, count).CopyTo(new Span<float>(cornerBias, count));
                tile.Bias = cornerBias;
            }

            for (int strip = strip0; strip < strip1; strip++)
            {
                int row = FirstRow(strip, strips), height = FirstRow(strip + 1, strips) - row;
                tile.A = whole.A + (row * whole.RowStep);
                tile.RowScales = whole.RowScales + row;
                float* c = whole.C + (row * whole.CStep) + column;
                tile.C = partial ? corner : c;
                tile.CStep = partial ? Int8PackedMatrix.PanelColumns : whole.CStep;
                if (partial && whole.Beta != 0) Copy(c, whole.CStep, corner, Int8PackedMatrix.PanelColumns, height, count);
                if (wide) Panel<Vector256<int>, PairSums256>(height, tile);
                else Panel<Vector128<int>, PairSums128>(height, tile);
                if (partial) Copy(corner, Int8PackedMatrix.PanelColumns, c, whole.CStep, height, count);
            }
        }

        if (epilogue.Residual == null && epilogue.Activated == null) return;
        int firstRow = FirstRow(strip0, strips), firstColumn = panel0 * Int8PackedMatrix.PanelColumns;
        nint at = (firstRow * whole.CStep) + firstColumn;
        new TileFinish<float>(
            null, epilogue.Residual == null ? null : epilogue.Residual + ((nint)firstRow * epilogue.ResidualStride) + firstColumn, epilogue.ResidualStride,
            epilogue.Activated == null ? null : epilogue.Activated + at, whole.CStep, epilogue.Activation, whole.C + at, whole.CStep,
            FirstRow(strip1, strips) - firstRow, Math.Min(columns, panel1 * Int8PackedMatrix.PanelColumns) - firstColumn).RunIn8Bits();
    }

    /// <summary>All columns of a panel, two vectors at a time.</summary>
    private static void Panel<TVector, TSums>(int height, Int8Tile tile)
        where TVector : unmanaged
        where TSums : unmanaged, IPairSums<TVector>
    {
        for (int column = 0; column < Int8PackedMatrix.PanelColumns; column += 2 * TSums.Count)
        {
            switch (height)
            {
                case 1: Int8Kernel<TVector, TSums, C1>.Run(&tile); break;
                case 2: Int8Kernel<TVector, TSums, C2>.Run(&tile); break;
                case 3: Int8Kernel<TVector, TSums, C3>.Run(&tile); break;
                case 4: Int8Kernel<TVector, TSums, C4>.Run(&tile); break;
                case 5: Int8Kernel<TVector, TSums, C5>.Run(&tile); break;
                default: Int8Kernel<TVector, TSums, C6>.Run(&tile); break;
            }

            tile.B += 4 * TSums.Count;
            tile.ColumnScales += 2 * TSums.Count;
            tile.C += 2 * TSums.Count;
            if (tile.Bias != null) tile.Bias += 2 * TSums.Count;
        }
    }

    private static void Copy(float* from, nint fromStep, float* to, nint toStep, int rows, int columns)
    {
        for (int i = 0; i < rows; i++) new Span<float>(from + (i * fromStep), columns).CopyTo(new Span<float>(to + (i * toStep), columns));
    }

    /// <summary>First row of a strip: rows are dealt evenly.</summary>
    private int FirstRow(int strip, int strips) => (strip * (rows / strips)) + Math.Min(strip, rows % strips);
}
