using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Cuda.Operations;

/// <content>Sums, in orders that the shapes alone decide.</content>
internal sealed unsafe partial class CudaKernels
{
    /// <summary>The most columns that one block adds up.</summary>
    private const int RowPart = 1 << 14;

    /// <summary>The most parts of one row, and of the rows of a matrix.</summary>
    private const int MostParts = 1024, MostChunks = 64;

    /// <summary>The fewest rows of a chunk.</summary>
    private const int LeastRows = 64;

    private readonly DeviceTable squares = new(device);

    public override bool IsFinite(Tensor x)
    {
        RequireFloat32(nameof(IsFinite), x);
        if (x.Count == 0) return true;
        using var scope = new TensorScope();
        Tensor flag = Tensor.Empty([], DType.Int32, device);
        device.Clear(flag.Address, flag.Bytes);
        int vectors = Vectors(x.Count, x);
        launch.Reductions.NotFinite(ElementBlocks(x.Count, vectors), ElementThreads, x, flag, vectors, x.Count);
        return flag.Item() == 0;
    }

    public override void SumOfSquares(ReadOnlySpan<Tensor> tensors, Tensor sum)
    {
        RequireFloat32(nameof(SumOfSquares), tensors);
        RequireFloat64(nameof(SumOfSquares), sum);
        int pieces = Pieces(tensors, squares);
        if (pieces == 0)
        {
            device.Clear(sum.Address, sum.Bytes);
            return;
        }

        using var scope = new TensorScope();
        Tensor partials = Tensor.Empty([pieces], DType.Float64, device);
        launch.Reductions.Squares(pieces, RowThreads, squares.Put(), partials);
        launch.Reductions.FinishDouble(1, RowThreads, partials, pieces, sum);
    }

    public override void SumRows(Tensor x, Tensor sums)
    {
        RequireFloat32(nameof(SumRows), x, sums);
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        if (columns == 0) return;
        (int each, int chunks) = RowChunks(rows);
        using var scope = new TensorScope();
        Tensor partials = Tensor.Empty([chunks, columns], DType.Float64, device);
        if (chunks > 0) launch.ColumnSums.Chunk(new Grid3(Blocks(columns, 32), chunks), new Grid3(32, 8), x, partials, rows, columns, each);
        launch.ColumnSums.Finish(ElementBlocks(columns, 0), ElementThreads, partials, chunks, columns, sums, columns);
    }

    public override void SumColumns(Tensor x, Tensor sums)
    {
        RequireFloat32(nameof(SumColumns), x, sums);
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        if (rows == 0) return;
        if (columns <= RowPart)
        {
            launch.Reductions.Rows(rows, RowThreads, x, sums, columns);
            return;
        }

        int length = Math.Max(RowPart, Blocks(columns, MostParts));
        int parts = Blocks(columns, length);
        using var scope = new TensorScope();
        Tensor partials = Tensor.Empty([rows, parts], DType.Float64, device);
        launch.Reductions.Parts(rows * parts, RowThreads, x, partials, columns, length, parts);
        launch.Reductions.Finish(rows, RowThreads, partials, parts, 1.0, sums);
    }

    /// <summary>How many rows a chunk has whose columns are added up together, and how many chunks there are.</summary>
    private static (int Each, int Chunks) RowChunks(int rows)
    {
        int each = Math.Max(LeastRows, Blocks(rows, MostChunks));
        return (each, Blocks(rows, each));
    }
}
