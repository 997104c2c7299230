using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Embedding with PyTorch's options.</content>
public static partial class Ops
{
    /// <summary>
    /// <see cref="Embedding(Tensor, Tensor, int)"/> with ids of Int32 or Int64, and gradients of a row divided by how often its id occurs where <paramref name="scaleByFrequency"/>. The gradient can be
    /// differentiated again.
    /// </summary>
    /// <exception cref="ArgumentException">The table has not two axes, or an id is outside the vocabulary.</exception>
    public static Tensor Embedding(Tensor table, Tensor ids, bool scaleByFrequency, int? paddingId = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(ids);
        if (table.Shape.Rank != 2) throw new ArgumentException($"Embedding: the table's shape is {table.Shape}; two axes are needed");
        int rows = table.Shape[0];
        Tensor flat = Reshape(Positions("Embedding", ids, rows), ids.Count);
        Tensor source = table;
        if (paddingId is { } padding && rows > 0)
        {
            // The row is read, but no gradient reaches it.
            Tensor kept = Unrecorded(() => Unsqueeze(NotEqual(Indices(rows, i => i), padding < 0 ? padding + rows : padding), 1));
            source = Where(kept, table, Unrecorded(() => Alias(table).Clone()));
        }

        Tensor y = IndexSelect(source, 0, flat);
        if (scaleByFrequency)
        {
            Tensor scale = Unrecorded(() =>
            {
                Tensor counts = ScatterAdd(Tensor.Zeros([rows], table.DType), 0, flat, Tensor.Full([flat.Count], 1, table.DType));
                return Unsqueeze(Reciprocal(IndexSelect(counts, 0, flat)), 1);
            });
            y = WithGradientScaled(y, scale);
        }

        return Reshape(y, [.. ids.Shape.Extents, table.Shape[1]]);
    }

    /// <summary>x itself, whose gradient is multiplied by a factor.</summary>
    private static Tensor WithGradientScaled(Tensor x, Tensor factor)
    {
        Tensor y = x.Alias();
        return Tape.Records(x) ? Tape.Record(new ScaledGradientNode(x, factor), y) : y;
    }

    private sealed class ScaledGradientNode : OpNode
    {
        private readonly Tensor x;
        private readonly Tensor factor;

        public ScaledGradientNode(Tensor x, Tensor factor) => (this.x, this.factor) = (x, Save(factor));

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Multiply(gradient, factor));
    }
}
