using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Picking rows.</content>
public static partial class Ops
{
    /// <summary>
    /// y[i, …] = x[index[i], …]: rows of the first axis, with repeats allowed. index is [n] Int32; the result is [n, …]. The gradient adds up in
    /// the order of i.
    /// </summary>
    /// <exception cref="ArgumentException">index is not of one axis and Int32, or a row is not there.</exception>
    public static Tensor Gather(Tensor x, Tensor index)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(index);
        if (x.Shape.Rank == 0) throw new ArgumentException("Gather: a scalar has no rows");
        if (index.Shape.Rank != 1) throw new ArgumentException($"Gather: an index of shape {index.Shape} was given; it must have one axis");
        x = Operand("Gather", x);
        index = index.To(index.DType);
        RequireIds("Gather", index, x.Shape[0]);
        Tensor y = Tensor.Empty(x.Shape.With(0, index.Count), x.DType, x.Device);
        x.Device.Kernels.Embedding(x.AsRows(), index, y.AsRows());
        return Tape.Records(x) ? Tape.Record(EmbeddingNode.Of(x, index, -1), y) : y;
    }
}
