using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Cuda.Operations;

/// <content>Kernels that go by rows, and losses.</content>
internal sealed unsafe partial class CudaKernels
{
    /// <summary>The most blocks that go over the labels to count them.</summary>
    private const int CrossEntropyBlocks = 256;

    public override void Softmax(Tensor x, Tensor? mask, Tensor y)
    {
        RequireFloat32(nameof(Softmax), x, y);
        if (mask is not null) RequireInt32(nameof(Softmax), mask);
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        if (rows == 0 || columns == 0) return;
        int vectors = RowVectors(columns, x, mask, y);
        int masked = mask is null ? 0 : 1;
        if (vectors > 0) launch.Softmax.Warp(Blocks(rows, 4), RowThreads, x, mask, masked, y, rows, vectors);
        else launch.Softmax.Block(rows, RowThreads, x, mask, masked, y, columns);
    }

    public override void SoftmaxBackward(Tensor y, Tensor dy, Tensor dx)
    {
        RequireFloat32(nameof(SoftmaxBackward), y, dy, dx);
        (int rows, int columns) = (y.Shape.Rows, y.Shape.Columns);
        if (rows == 0 || columns == 0) return;
        int vectors = RowVectors(columns, y, dy, dx);
        if (vectors > 0) launch.Softmax.BackwardWarp(Blocks(rows, 4), RowThreads, y, dy, dx, rows, vectors);
        else launch.Softmax.BackwardBlock(rows, RowThreads, y, dy, dx, columns);
    }

    public override void LayerNorm(Tensor x, Tensor gain, Tensor bias, double epsilon, Tensor y, Tensor mean, Tensor rstd)
    {
        RequireFloat32(nameof(LayerNorm), x, gain, bias, y, mean, rstd);
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        if (rows == 0 || columns == 0) return;
        int vectors = RowVectors(columns, x, gain, bias, y);
        if (vectors > 0) launch.LayerNorm.Warp(Blocks(rows, 4), RowThreads, x, gain, bias, (float)epsilon, y, mean, rstd, rows, vectors);
        else launch.LayerNorm.Block(rows, RowThreads, x, gain, bias, (float)epsilon, y, mean, rstd, columns);
    }

    public override void LayerNormBackward(Tensor x, Tensor gain, Tensor mean, Tensor rstd, Tensor dy, Tensor? dx, Tensor? dgain, Tensor? dbias)
    {
        RequireFloat32(nameof(LayerNormBackward), x, gain, mean, rstd, dy, dx, dgain, dbias);
        NormParametersBackward(x, mean, rstd, dy, dgain, dbias);
        NormInputBackward(x, DropoutMask.None, gain, mean, rstd, dy, dx, null);
    }

    public override void AddLayerNorm(
        Tensor x, DropoutMask dropout, Tensor residual, Tensor gain, Tensor bias, double epsilon, Tensor sum, Tensor y, Tensor mean, Tensor rstd)
    {
        RequireFloat32(nameof(AddLayerNorm), x, residual, gain, bias, sum, y, mean, rstd);
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        if (rows == 0 || columns == 0) return;
        int vectors = RowVectors(columns, x, residual, gain, bias, sum, y);
        (ulong seed, MaskStream stream, uint threshold, float scale) = WordsOf(dropout);
        if (vectors > 0)
            launch.LayerNorm.AddWarp(Blocks(rows, 4), RowThreads, x, seed, stream, threshold, scale, residual, gain, bias, (float)epsilon, sum, y, mean, rstd, rows, vectors);
        else
            launch.LayerNorm.AddBlock(rows, RowThreads, x, seed, stream, threshold, scale, residual, gain, bias, (float)epsilon, sum, y, mean, rstd, columns);
    }

    public override void AddLayerNormBackward(
        Tensor sum, DropoutMask dropout, Tensor gain, Tensor mean, Tensor rstd, Tensor dy, Tensor? dx, Tensor? dresidual, Tensor? dgain, Tensor? dbias)
    {
        RequireFloat32(nameof(AddLayerNormBackward), sum, gain, mean, rstd, dy, dx, dresidual, dgain, dbias);
        NormParametersBackward(sum, mean, rstd, dy, dgain, dbias);
        NormInputBackward(sum, dropout, gain, mean, rstd, dy, dresidual, dx);
    }

    public override void Embedding(Tensor table, Tensor ids, Tensor y)
    {
        RequireFloat32(nameof(Embedding), table, y);
        RequireInt32(nameof(Embedding), ids);
        if (y.Count == 0) return;
        int columns = table.Shape.Columns;
        int vectors = columns % 4 == 0 ? Vectors(columns, table, y) : 0;
        if (vectors > 0) launch.Embedding.GatherFours(ElementBlocks(y.Count, y.Count / 4), ElementThreads, table, ids, y, table.Shape[0], vectors, y.Count / 4);
        else launch.Embedding.Gather(ElementBlocks(y.Count, 0), ElementThreads, table, ids, y, table.Shape[0], columns, y.Count);
    }

    public override void EmbeddingBackward(Tensor ids, Tensor dy, int paddingId, Tensor dtable)
    {
        RequireFloat32(nameof(EmbeddingBackward), dy, dtable);
        RequireInt32(nameof(EmbeddingBackward), ids);
        int columns = dtable.Shape.Columns;
        if (ids.Count == 0 || columns == 0) return;
        launch.Embedding.ScatterAdd(new Grid3(ids.Count, Blocks(columns, 4 * RowThreads)), RowThreads, dy, ids, dtable, dtable.Shape[0], (uint)paddingId, columns, ids.Count);
    }

    public override void CrossEntropy(Tensor logits, Tensor labels, Tensor loss, Tensor dlogits)
    {
        RequireFloat32(nameof(CrossEntropy), logits, loss, dlogits);
        RequireInt32(nameof(CrossEntropy), labels);
        (int rows, int classes) = (logits.Shape[0], logits.Shape[1]);
        using var scope = new TensorScope();
        Tensor terms = Tensor.Empty([rows], DType.Float64, device);
        Tensor counted = Tensor.Empty([1], DType.Int32, device);
        launch.Losses.CrossEntropyRows(Math.Clamp(Blocks(rows, 4), 1, CrossEntropyBlocks), RowThreads, logits, labels, terms, counted, dlogits, rows, classes);
        launch.Losses.CrossEntropyMean(1, RowThreads, terms, counted, loss, rows);
    }

    public override void MeanSquaredError(Tensor x, Tensor target, Tensor loss, Tensor dx)
    {
        RequireFloat32(nameof(MeanSquaredError), x, target, loss, dx);
        int blocks = Math.Clamp(Blocks(x.Count, 8 * RowThreads), 1, MostBlocks);
        int divisor = Math.Max(1, x.Count);
        using var scope = new TensorScope();
        Tensor partials = Tensor.Empty([blocks], DType.Float64, device);
        launch.Losses.SquaredError(blocks, RowThreads, x, target, 2f / divisor, dx, partials, x.Count);
        launch.Reductions.Finish(1, RowThreads, partials, blocks, (double)divisor, loss);
    }

    public override void BinaryCrossEntropy(Tensor x, Tensor target, Tensor loss, Tensor dx)
    {
        RequireFloat32(nameof(BinaryCrossEntropy), x, target, loss, dx);
        int blocks = Math.Clamp(Blocks(x.Count, 8 * RowThreads), 1, MostBlocks);
        int divisor = Math.Max(1, x.Count);
        using var scope = new TensorScope();
        Tensor partials = Tensor.Empty([blocks], DType.Float64, device);
        launch.Losses.BinaryCrossEntropy(blocks, RowThreads, x, target, 1f / divisor, dx, partials, x.Count);
        launch.Reductions.Finish(1, RowThreads, partials, blocks, (double)divisor, loss);
    }

    /// <summary>The normalised input's gradient to dx, and its dropout to dropped; each may be null.</summary>
    private void NormInputBackward(Tensor x, DropoutMask dropout, Tensor gain, Tensor mean, Tensor rstd, Tensor dy, Tensor? dx, Tensor? dropped)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        if (rows == 0 || columns == 0 || (dx is null && dropped is null)) return;
        int vectors = RowVectors(columns, x, gain, dy, dx, dropped);
        int wanted = (dx is null ? 0 : 1) | (dropped is null ? 0 : 2);
        (ulong seed, MaskStream stream, uint threshold, float scale) = WordsOf(dropout);
        if (vectors > 0)
            launch.LayerNormGradient.Warp(Blocks(rows, 4), RowThreads, x, gain, mean, rstd, dy, dx, dropped, wanted, seed, stream, threshold, scale, rows, vectors);
        else
            launch.LayerNormGradient.Block(rows, RowThreads, x, gain, mean, rstd, dy, dx, dropped, wanted, seed, stream, threshold, scale, columns);
    }

    private void NormParametersBackward(Tensor x, Tensor mean, Tensor rstd, Tensor dy, Tensor? dgain, Tensor? dbias)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        if ((dgain is null && dbias is null) || columns == 0) return;
        (int each, int chunks) = RowChunks(rows);
        using var scope = new TensorScope();
        Tensor partials = Tensor.Empty([chunks, 2 * columns], DType.Float64, device);
        if (chunks > 0) launch.LayerNormGradient.Parameters(new Grid3(Blocks(columns, 32), chunks), new Grid3(32, 8), x, mean, rstd, dy, partials, rows, columns, each);
        if (dgain is not null) launch.ColumnSums.Finish(ElementBlocks(columns, 0), ElementThreads, partials, chunks, 2 * columns, dgain, columns);
        if (dbias is not null) launch.ColumnSums.Finish(ElementBlocks(columns, 0), ElementThreads, (Address)partials + (8L * columns), chunks, 2 * columns, dbias, columns);
    }
}
