using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Cpu;

/// <content>Kernels that go by rows, and losses.</content>
internal sealed unsafe partial class CpuKernels
{
    public override void Softmax(Tensor x, Tensor? mask, Tensor y)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        int* kept = mask is null ? null : mask.I32;
        if (IsDouble(x)) Cpu.Rows.Softmax.ForwardMasked(x.F64, kept, 1, 1.0, rows, columns, y.F64);
        else Cpu.Rows.Softmax.ForwardMasked(x.F32, kept, 1, 1f, rows, columns, y.F32);
        if (mask is null)
        {
            if (IsDouble(x)) WithoutSoftmax(y.F64, rows, columns);
            else WithoutSoftmax(y.F32, rows, columns);
        }

        Keep(x, mask, y);
    }

    /// <summary>A row that came out as zeros had −∞ alone. Without a mask that has no softmax.</summary>
    private static void WithoutSoftmax<T>(T* y, int rows, int columns)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        if (columns == 0) return;
        for (nint r = 0; r < rows; r++)
        {
            // Only a row whose first element is 0 may be one: the others are not read.
            if (y[r * columns] != T.Zero) continue;
            var row = new Span<T>(y + (r * columns), columns);
            if (!row.ContainsAnyExcept(T.Zero)) row.Fill(T.NaN);
        }
    }

    public override void SoftmaxBackward(Tensor y, Tensor dy, Tensor dx)
    {
        (int rows, int columns) = (y.Shape.Rows, y.Shape.Columns);
        if (IsDouble(y)) Cpu.Rows.Softmax.Backward(y.F64, dy.F64, 1.0, rows, columns, dx.F64, accumulate: false);
        else Cpu.Rows.Softmax.Backward(y.F32, dy.F32, 1f, rows, columns, dx.F32, accumulate: false);
        Keep(y, dy, dx);
    }

    public override void LayerNorm(Tensor x, Tensor gain, Tensor bias, double epsilon, Tensor y, Tensor mean, Tensor rstd)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        if (IsDouble(x)) Cpu.Rows.LayerNorm.Forward(x.F64, null, gain.F64, bias.F64, rows, columns, epsilon, null, y.F64, mean.F64, rstd.F64);
        else Cpu.Rows.LayerNorm.Forward(x.F32, null, gain.F32, bias.F32, rows, columns, epsilon, null, y.F32, mean.F32, rstd.F32);
        Keep(x, gain, bias, y, mean, rstd);
    }

    public override void LayerNormBackward(Tensor x, Tensor gain, Tensor mean, Tensor rstd, Tensor dy, Tensor? dx, Tensor? dgain, Tensor? dbias)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        NormParametersBackward(x, mean, rstd, dy, dgain, dbias);
        if (dx is not null)
        {
            if (IsDouble(x)) LayerNormGradient.Input(x.F64, gain.F64, mean.F64, rstd.F64, dy.F64, rows, columns, dx.F64, accumulate: false);
            else LayerNormGradient.Input(x.F32, gain.F32, mean.F32, rstd.F32, dy.F32, rows, columns, dx.F32, accumulate: false);
        }

        Keep(x, gain, mean, rstd, dy, dx, dgain, dbias);
    }

    public override void AddLayerNorm(
        Tensor x, DropoutMask dropout, Tensor residual, Tensor gain, Tensor bias, double epsilon, Tensor sum, Tensor y, Tensor mean, Tensor rstd)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        if (IsDouble(x)) Cpu.Rows.LayerNorm.Forward(x.F64, residual.F64, gain.F64, bias.F64, rows, columns, epsilon, sum.F64, y.F64, mean.F64, rstd.F64, new RowDropout(dropout));
        else Cpu.Rows.LayerNorm.Forward(x.F32, residual.F32, gain.F32, bias.F32, rows, columns, epsilon, sum.F32, y.F32, mean.F32, rstd.F32, new RowDropout(dropout));
        Keep(x, residual, gain, bias, sum, y, mean, rstd, dropout.Rows);
    }

    public override void AddLayerNormBackward(
        Tensor sum, DropoutMask dropout, Tensor gain, Tensor mean, Tensor rstd, Tensor dy, Tensor? dx, Tensor? dresidual, Tensor? dgain, Tensor? dbias)
    {
        (int rows, int columns) = (sum.Shape.Rows, sum.Shape.Columns);
        NormParametersBackward(sum, mean, rstd, dy, dgain, dbias);
        if ((dresidual ?? dx) is { } dsum)
        {
            if (IsDouble(sum)) LayerNormGradient.Input(sum.F64, gain.F64, mean.F64, rstd.F64, dy.F64, rows, columns, dsum.F64, accumulate: false, new RowDropout(dropout), dx is null ? null : dx.F64);
            else LayerNormGradient.Input(sum.F32, gain.F32, mean.F32, rstd.F32, dy.F32, rows, columns, dsum.F32, accumulate: false, new RowDropout(dropout), dx is null ? null : dx.F32);
        }

        Keep(sum, gain, mean, rstd, dy, dx, dresidual, dgain, dbias, dropout.Rows);
    }

    private static void NormParametersBackward(Tensor x, Tensor mean, Tensor rstd, Tensor dy, Tensor? dgain, Tensor? dbias)
    {
        if (dgain is null && dbias is null) return;
        // The kernel computes both; one that nobody wants goes to a temporary, which the caller's scope frees.
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        Tensor g = dgain ?? Tensor.Empty([columns], x.DType);
        Tensor b = dbias ?? Tensor.Empty([columns], x.DType);
        if (IsDouble(x)) LayerNormGradient.Parameters(x.F64, mean.F64, rstd.F64, dy.F64, rows, columns, g.F64, b.F64, accumulate: false);
        else LayerNormGradient.Parameters(x.F32, mean.F32, rstd.F32, dy.F32, rows, columns, g.F32, b.F32, accumulate: false);
        Keep(g, b);
    }

    public override void Embedding(Tensor table, Tensor ids, Tensor y)
    {
        int columns = table.Shape.Columns;
        if (IsDouble(table)) EmbeddingRows.Gather(table.F64, ids.I32, ids.Count, columns, y.F64);
        else EmbeddingRows.Gather(table.F32, ids.I32, ids.Count, columns, y.F32);
        Keep(table, ids, y);
    }

    public override void EmbeddingBackward(Tensor ids, Tensor dy, int paddingId, Tensor dtable)
    {
        int columns = dtable.Shape.Columns;
        if (IsDouble(dy)) EmbeddingRows.ScatterAdd(dy.F64, ids.I32, ids.Count, columns, paddingId, dtable.F64);
        else EmbeddingRows.ScatterAdd(dy.F32, ids.I32, ids.Count, columns, paddingId, dtable.F32);
        Keep(ids, dy, dtable);
    }

    public override void CrossEntropy(Tensor logits, Tensor labels, Tensor loss, Tensor dlogits)
    {
        (int rows, int classes) = (logits.Shape[0], logits.Shape[1]);
        if (IsDouble(logits))
        {
            *loss.F64 = Cpu.Rows.CrossEntropy.Forward(logits.F64, labels.I32, rows, classes);
            Cpu.Rows.CrossEntropy.Backward(logits.F64, labels.I32, 1.0, rows, classes, dlogits.F64, accumulate: false);
        }
        else
        {
            *loss.F32 = (float)Cpu.Rows.CrossEntropy.Forward(logits.F32, labels.I32, rows, classes);
            Cpu.Rows.CrossEntropy.Backward(logits.F32, labels.I32, 1f, rows, classes, dlogits.F32, accumulate: false);
        }
        Keep(logits, labels, loss, dlogits);
    }

    public override void BinaryCrossEntropy(Tensor x, Tensor target, Tensor loss, Tensor dx)
    {
        if (IsDouble(x)) *loss.F64 = Cpu.Rows.BinaryCrossEntropy.Forward(x.F64, target.F64, x.Count, dx.F64);
        else *loss.F32 = (float)Cpu.Rows.BinaryCrossEntropy.Forward(x.F32, target.F32, x.Count, dx.F32);
        Keep(x, target, loss, dx);
    }

    public override void MeanSquaredError(Tensor x, Tensor target, Tensor loss, Tensor dx)
    {
        if (IsDouble(x))
        {
            *loss.F64 = Cpu.Rows.MeanSquaredError.Forward(x.F64, target.F64, x.Count);
            Cpu.Rows.MeanSquaredError.Backward(x.F64, target.F64, 1.0, x.Count, dx.F64, accumulate: false);
        }
        else
        {
            *loss.F32 = (float)Cpu.Rows.MeanSquaredError.Forward(x.F32, target.F32, x.Count);
            Cpu.Rows.MeanSquaredError.Backward(x.F32, target.F32, 1f, x.Count, dx.F32, accumulate: false);
        }
        Keep(x, target, loss, dx);
    }
}
