using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// The operands of one matrix product C = Alpha · A·B + Beta · C + low-rank + bias + residual, over the depth that <see cref="B"/> holds.
/// </summary>
internal unsafe struct Product<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public int Rows;
    public int Columns;
    public nint Depth;

    /// <summary>A: Rows × Depth, or its transpose.</summary>
    public T* A;
    public nint AStep;
    public bool TransposedA;

    /// <summary>Whether A is read where it lies rather than packed into strips first.</summary>
    public bool DirectA;

    public PanelView<T> B;
    public T Alpha;
    public T Beta;
    public T* C;
    public nint CStep;

    public T* Left;
    public nint LeftStep;
    public T LeftScale;
    public int Rank;
    public PanelView<T> Right;

    /// <summary>Bias, or null.</summary>
    public T* Bias;

    /// <summary>The bias's partial panel widened with zeros, or null.</summary>
    public T* BiasTail;

    /// <summary>Rows × Columns added to C, or null.</summary>
    public T* Residual;
    public nint ResidualStep;

    /// <summary>Where the activation of C goes, rows <see cref="CStep"/> apart, or null.</summary>
    public T* Activated;
    public Activation Activation;
}

/// <summary>
/// A product split into blocks of C, one a part. A block is whole strips by whole panels. Within a block the panels are the outer loop,
/// blocks of the depth the middle one (a panel's block stays in the first-level cache), strips the inner one (the block of A stays in the
/// second-level cache).
/// </summary>
internal unsafe struct ProductTask<T, TVector, TSimd> : IParallelTask
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : unmanaged, ISimd<T, TVector>
{
    private const int PanelBlockBytes = 24 * 1024;
    private const int StripsBytes = 768 * 1024;

    /// <summary>Multiplications below which waking another thread does not pay.</summary>
    private const double SmallestParallel = 512 * 1024;

    private Product<T> product;
    private readonly PartGrid grid;

    public ProductTask(in Product<T> product, int threads)
    {
        this.product = product;
        int strips = PartGrid.Divide(product.Rows, TSimd.TileRows);
        long stripBytes = Math.Max(1, product.Depth) * TSimd.TileRows * sizeof(T);
        grid = new PartGrid(strips, PartGrid.Divide(product.Columns, PanelColumns), PartGrid.Divide(strips, (int)Math.Clamp(StripsBytes / stripBytes, 1, strips)));
        if (threads > 1 && (double)product.Rows * product.Columns * (product.Depth + product.Rank) >= SmallestParallel) grid = grid.Over(threads, 4, 4);
    }

    /// <summary>Columns of a panel.</summary>
    public static int PanelColumns => 2 * TSimd.Count;

    /// <summary>Longest run of the sum between two visits of C. Depends on the vector width alone, so that a result's bits do.</summary>
    public static int DepthBlock => PanelBlockBytes / (2 * sizeof(TVector));

    public readonly int Parts => grid.Parts;

    public readonly void Run(int index)
    {
        (int strip0, int strip1, int panel0, int panel1) = grid[index];
        T* left = PackLeft(strip0, strip1);
        T* a = product.DirectA ? null : PackStrips(strip0, strip1);
        T* corner = stackalloc T[TSimd.TileRows * PanelColumns];

        nint depth = product.Depth;
        int blocks = (int)Math.Max(1, (depth + DepthBlock - 1) / DepthBlock);
        nint block = (depth + blocks - 1) / blocks;
        bool finishes = product.Residual != null || product.Activated != null;
        Tile<T> tile = default;
        tile.Alpha = product.Alpha;
        for (int panel = panel0; panel < panel1; panel++)
        {
            int column = panel * PanelColumns;
            int columns = Math.Min(PanelColumns, product.Columns - column);
            bool partial = columns != PanelColumns;
            T* b = Panel(product.B, panel, partial, out tile.BStep);
            T* right = product.Rank == 0 ? null : Panel(product.Right, panel, partial, out tile.RightStep);
            T* bias = product.Bias == null ? null : partial && product.BiasTail != null ? product.BiasTail : product.Bias + column;
            bool inPlace = columns % TSimd.Count == 0;
            for (int d = 0; d < blocks; d++)
            {
                bool last = d == blocks - 1;
                tile.Depth = Math.Min(block, depth - d * block);
                tile.B = b + d * block * tile.BStep;
                tile.Beta = d == 0 ? product.Beta : T.One;
                tile.Rank = last ? product.Rank : 0;
                tile.Right = right;
                tile.Bias = last ? bias : null;
                T* packed = a;
                for (int strip = strip0; strip < strip1; strip++)
                {
                    int row = FirstRow(strip), rows = FirstRow(strip + 1) - row;
                    tile.Ahead = strip == strip0 && panel + 1 < panel1 ? product.B.PanelStep : 0;
                    tile.Left = left + (nint)(strip - strip0) * TSimd.TileRows * product.Rank;
                    if (product.DirectA)
                    {
                        tile.RowStep = product.TransposedA ? 1 : product.AStep;
                        tile.DepthStep = product.TransposedA ? product.AStep : 1;
                        tile.A = product.A + row * tile.RowStep + d * block * tile.DepthStep;
                    }
                    else
                    {
                        tile.RowStep = 1;
                        tile.DepthStep = TSimd.TileRows;
                        tile.A = packed + d * block * TSimd.TileRows;
                        packed += depth * TSimd.TileRows;
                    }

                    if (inPlace)
                    {
                        tile.C = product.C + row * product.CStep + column;
                        tile.CStep = product.CStep;
                        MicroKernels<T, TVector, TSimd>.Run(rows, columns > TSimd.Count, &tile);
                    }
                    else
                    {
                        RunCorner(row, rows, column, columns, corner, &tile);
                    }

                    if (last && finishes) Finish(row, rows, column, columns);
                }
            }
        }
    }

    /// <summary>Runs a tile with partial vectors, which C cannot hold as it is, in <paramref name="corner"/>, and copies it.</summary>
    private readonly void RunCorner(int row, int rows, int column, int columns, T* corner, Tile<T>* tile)
    {
        T* c = product.C + row * product.CStep + column;
        if (tile->Beta != T.Zero)
        {
            for (int i = 0; i < rows; i++)
            {
                for (int j = 0; j < columns; j++) corner[i * PanelColumns + j] = c[i * product.CStep + j];
                for (int j = columns; j < PanelColumns; j++) corner[i * PanelColumns + j] = T.Zero;
            }
        }

        tile->C = corner;
        tile->CStep = PanelColumns;
        MicroKernels<T, TVector, TSimd>.Run(rows, columns > TSimd.Count, tile);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) c[i * product.CStep + j] = corner[i * PanelColumns + j];
        }
    }

    private readonly void Finish(int row, int rows, int column, int columns)
    {
        T* residual = product.Residual == null ? null : product.Residual + row * product.ResidualStep + column;
        nint at = row * product.CStep + column;
        T* activated = product.Activated == null ? null : product.Activated + at;
        new TileFinish<T>(null, residual, product.ResidualStep, activated, product.CStep, product.Activation, product.C + at, product.CStep, rows, columns).Run();
    }

    /// <summary>First row of a strip: rows are dealt evenly, so that no strip is much thinner than the tile.</summary>
    private readonly int FirstRow(int strip)
    {
        int strips = PartGrid.Divide(product.Rows, TSimd.TileRows);
        return strip * (product.Rows / strips) + Math.Min(strip, product.Rows % strips);
    }

    private static T* Panel(in PanelView<T> view, int panel, bool partial, out nint rowStep)
    {
        bool tail = partial && view.Tail != null;
        rowStep = tail ? view.TailRowStep : view.RowStep;
        return tail ? view.Tail : view.Data + panel * view.PanelStep;
    }

    private readonly T* PackStrips(int strip0, int strip1)
    {
        int width = TSimd.TileRows;
        nint size = product.Depth * width;
        T* strips = Scratch.Get<T>(ScratchUse.Strips, (strip1 - strip0) * size);
        // Rows of A's transpose are read a few at a time, through all strips, so that their cache lines are used whole.
        nint run = product.TransposedA ? Packing<T>.Run : product.Depth;
        for (nint p = 0; p < product.Depth; p += run)
        {
            for (int strip = strip0; strip < strip1; strip++)
            {
                int row = FirstRow(strip), rows = FirstRow(strip + 1) - row;
                T* source = product.A + (product.TransposedA ? row + p * product.AStep : row * product.AStep);
                T* to = strips + (strip - strip0) * size + p * width;
                Packing<T>.Pack(source, product.AStep, !product.TransposedA, Math.Min(run, product.Depth - p), rows, width, to);
            }
        }

        return strips;
    }

    private readonly T* PackLeft(int strip0, int strip1)
    {
        if (product.Rank == 0) return null;
        int width = TSimd.TileRows;
        nint size = (nint)product.Rank * width;
        T* packed = Scratch.Get<T>(ScratchUse.LeftStrips, (strip1 - strip0) * size);
        for (int strip = strip0; strip < strip1; strip++)
        {
            int row = FirstRow(strip), rows = FirstRow(strip + 1) - row;
            T* source = product.Left + row * product.LeftStep;
            Packing<T>.Pack(source, product.LeftStep, true, product.Rank, rows, width, packed + (strip - strip0) * size);
        }

        for (nint i = 0; i < (strip1 - strip0) * size; i++) packed[i] *= product.LeftScale;
        return packed;
    }
}
