using System.Numerics;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>
/// Products of blocks that lie in the cache, on this thread, with operands read where they lie. The sheared forms do the work of the band
/// alone, and up to a tile beside it: they read and write up to <see cref="AttentionLayout.Margin"/> elements left and right of a block.
/// </summary>
internal static unsafe class BlockProduct<T, TVector, TSimd>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : unmanaged, MatrixProducts.ISimd<T, TVector>
{
    /// <summary>Longest run of the sum for which a panel of B stays in the first-level cache.</summary>
    private const int DepthBlock = 256;

    private static int PanelColumns => 2 * TSimd.Count;

    /// <summary>C = Alpha · A·B + Beta · C.</summary>
    public static void Dense(int rows, int columns, int depth, in BlockOperands<T> operands)
    {
        int strips = Strips(rows);
        Tile<T> tile = Start(operands);
        T* b = operands.B.Data;
        for (int column = 0; column < columns; column += PanelColumns, b += operands.B.PanelStep)
        {
            bool wide = columns - column > TSimd.Count;
            int d = 0;
            do
            {
                tile.Depth = Math.Min(DepthBlock, depth - d);
                tile.Beta = d == 0 ? operands.Beta : T.One;
                tile.B = b + (d * tile.BStep);
                for (int strip = 0; strip < strips; strip++)
                {
                    int row = FirstRow(rows, strips, strip);
                    tile.A = operands.A + (row * tile.RowStep) + (d * tile.DepthStep);
                    tile.C = operands.C + (row * tile.CStep) + column;
                    MicroKernels<T, TVector, TSimd>.Run(FirstRow(rows, strips, strip + 1) - row, wide, &tile);
                }

                d += DepthBlock;
            }
            while (d < depth);
        }
    }

    /// <summary>C[r, j] = Alpha · A[r] · B[:, x] + Beta · C[r, j] for the block's elements, B having a column for each distance number.</summary>
    public static void ShearedColumns(Band band, int depth, in BlockOperands<T> operands)
    {
        int strips = Strips(band.Rows);
        Tile<T> tile = Start(operands);
        tile.Depth = depth;
        tile.Beta = operands.Beta;
        tile.CStep = operands.CStep + 1;
        for (int panel = band.First / PanelColumns; panel * PanelColumns < band.End; panel++)
        {
            int first = panel * PanelColumns, middle = first + TSimd.Count;
            T* b = operands.B.Data + (panel * operands.B.PanelStep);
            for (int strip = 0; strip < strips; strip++)
            {
                int row = FirstRow(band.Rows, strips, strip), end = FirstRow(band.Rows, strips, strip + 1);
                int from = Math.Max(first, band.Offset - (end - 1)), to = Math.Min(first + PanelColumns, band.End - row);
                if (from >= to) continue;
                int start = from < middle ? first : middle;
                tile.A = operands.A + (row * tile.RowStep);
                tile.B = b + (start - first);
                tile.C = operands.C + (row * tile.CStep) + start - band.Offset;
                MicroKernels<T, TVector, TSimd>.Run(end - row, start == first && to > middle, &tile);
            }
        }
    }

    /// <summary>C[r] += Σ_x A[r, x] · B[x], A being a sheared block whose margins are zero.</summary>
    public static void ShearedDepth(Band band, int columns, in BlockOperands<T> operands)
    {
        int strips = Strips(band.Rows);
        Tile<T> tile = Start(operands);
        tile.Beta = T.One;
        tile.RowStep = operands.RowStep + 1;
        tile.DepthStep = 1;
        T* b = operands.B.Data;
        for (int column = 0; column < columns; column += PanelColumns, b += operands.B.PanelStep)
        {
            bool wide = columns - column > TSimd.Count;
            for (int block = band.First; block < band.End; block += DepthBlock)
            {
                for (int strip = 0; strip < strips; strip++)
                {
                    int row = FirstRow(band.Rows, strips, strip), end = FirstRow(band.Rows, strips, strip + 1);
                    int from = Math.Max(block, band.Offset - (end - 1)), to = Math.Min(block + DepthBlock, band.End - row);
                    if (from >= to) continue;
                    tile.Depth = to - from;
                    tile.A = operands.A + (row * tile.RowStep) + from - band.Offset;
                    tile.B = b + (from * tile.BStep);
                    tile.C = operands.C + (row * tile.CStep) + column;
                    MicroKernels<T, TVector, TSimd>.Run(end - row, wide, &tile);
                }
            }
        }
    }

    /// <summary>C[x] += Σ_r A[r, x] · B[r], A being a sheared block whose margins are zero.</summary>
    public static void ShearedRows(Band band, int columns, in BlockOperands<T> operands)
    {
        int distances = band.End - band.First, strips = Strips(distances);
        Tile<T> tile = Start(operands);
        tile.Beta = T.One;
        tile.RowStep = 1;
        tile.DepthStep = operands.RowStep + 1;
        T* b = operands.B.Data;
        for (int column = 0; column < columns; column += PanelColumns, b += operands.B.PanelStep)
        {
            bool wide = columns - column > TSimd.Count;
            for (int strip = 0; strip < strips; strip++)
            {
                int x = band.First + FirstRow(distances, strips, strip), end = band.First + FirstRow(distances, strips, strip + 1);
                int from = Math.Max(0, band.Offset - (end - 1)), to = Math.Min(band.Rows, band.End - x);
                tile.Depth = to - from;
                tile.A = operands.A + (from * tile.DepthStep) + x - band.Offset;
                tile.B = b + (from * tile.BStep);
                tile.C = operands.C + (x * tile.CStep) + column;
                MicroKernels<T, TVector, TSimd>.Run(end - x, wide, &tile);
            }
        }
    }

    private static Tile<T> Start(in BlockOperands<T> operands) => new()
    {
        RowStep = operands.RowStep,
        DepthStep = operands.DepthStep,
        BStep = operands.B.Step,
        CStep = operands.CStep,
        Alpha = operands.Alpha,
    };

    private static int Strips(int rows) => (rows + TSimd.TileRows - 1) / TSimd.TileRows;

    /// <summary>First row of a strip: rows are dealt evenly, so that no strip is much thinner than the tile.</summary>
    private static int FirstRow(int rows, int strips, int strip) => (strip * (rows / strips)) + Math.Min(strip, rows % strips);
}
