using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Embedding look-up.</content>
public static partial class Ops
{
    /// <summary>
    /// y[…] = table[ids[…]]: table is [vocabulary, width], ids Int32 of any shape, the result [ids' shape, width]. The row
    /// <paramref name="paddingId"/> gets no gradient, as in PyTorch; −1 for none.
    /// </summary>
    /// <exception cref="ArgumentException">The table has not two axes, or an id is outside the vocabulary.</exception>
    public static Tensor Embedding(Tensor table, Tensor ids, int paddingId = -1)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(ids);
        if (table.Shape.Rank != 2) throw new ArgumentException($"Embedding: the table's shape is {table.Shape}; two axes are needed");
        table = Operand("Embedding", table);
        ids = ids.To(ids.DType);
        RequireIds("Embedding", ids, table.Shape[0]);
        Tensor y = Tensor.Empty(ids.Shape.WithLast(0, table.Shape[1]), table.DType, table.Device);
        table.Device.Kernels.Embedding(table, ids, y);
        return Tape.Records(table) ? Tape.Record(EmbeddingNode.Of(table, ids, paddingId), y) : y;
    }

    private static void RequireIds(string op, Tensor ids, int rows)
    {
        if (ids.DType != DType.Int32) throw new ArgumentException($"{op}: ids are {ids.DType}; Int32 is needed");
        // On a device they are not read back to be checked: its kernel takes an id outside the table for a row of zeros.
        if (ids.Device != Device.Cpu) return;
        ReadOnlySpan<int> values = ids.AsSpan<int>();
        for (int i = 0; i < values.Length; i++)
        {
            if ((uint)values[i] >= (uint)rows) throw new ArgumentException($"{op}: id {values[i]} at position {i} is outside 0 … {rows - 1}");
        }
    }

    private sealed class EmbeddingNode : Node
    {
        private Tensor table = null!;
        private Tensor ids = null!;
        private int paddingId;

        public static EmbeddingNode Of(Tensor table, Tensor ids, int paddingId)
        {
            EmbeddingNode node = Take<EmbeddingNode>();
            node.table = table;
            node.ids = node.Save(ids);
            node.paddingId = paddingId;
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dtable = Tensor.Zeros(table.Shape, table.DType, table.Device);
            table.Device.Kernels.EmbeddingBackward(ids, gradient.AsRows(table.Count / Math.Max(table.Shape[0], 1)), paddingId, dtable.AsRows());
            Accumulate(table, dtable);
        }
    }
}
