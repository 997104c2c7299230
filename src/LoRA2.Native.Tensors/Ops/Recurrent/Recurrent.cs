using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <summary>The weights of one direction of one layer of a recurrent network, as PyTorch keeps them.</summary>
/// <param name="Input">W_ih: [gates · hidden, in].</param>
/// <param name="Hidden">W_hh: [gates · hidden, hidden].</param>
/// <param name="InputBias">b_ih: [gates · hidden], or null.</param>
/// <param name="HiddenBias">b_hh: [gates · hidden], or null.</param>
public readonly record struct RecurrentWeights(Tensor Input, Tensor Hidden, Tensor? InputBias = null, Tensor? HiddenBias = null);

/// <content>Recurrent layers.</content>
public static partial class Ops
{
    /// <summary>
    /// Long short-term memory (Hochreiter and Schmidhuber, 1997), gates in the order i, f, g, o: x is [length, batch, in] (or [batch, length, in] with <paramref name="batchFirst"/>), hidden and cell
    /// [layers · directions, batch, hidden]. Weights are one a layer and direction, forward before backward. The result has the last layer's states, both directions side by side, and the last states.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes don't fit.</exception>
    public static (Tensor Sequence, Tensor Hidden, Tensor Cell) Lstm(Tensor x, Tensor hidden, Tensor cell, IReadOnlyList<RecurrentWeights> weights, bool bidirectional = false, bool batchFirst = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(hidden);
        ArgumentNullException.ThrowIfNull(cell);
        ArgumentNullException.ThrowIfNull(weights);
        int directions = RequireLayers("Lstm", x, weights, bidirectional);
        Tensor sequence = batchFirst ? Transpose(x, 0, 1) : x;
        (Tensor? states, Tensor? cells) = (null, null);
        for (int layer = 0; layer < weights.Count; layer += directions)
        {
            Tensor input = sequence;
            for (int index = layer; index < layer + directions; index++)
            {
                (Tensor y, Tensor h, Tensor c) = LstmLayer(input, Select(hidden, 0, index), Select(cell, 0, index), weights[index], reverse: index > layer);
                sequence = index == layer ? y : Concat(-1, sequence, y);
                states = states is null ? h : Concat(0, states, h);
                cells = cells is null ? c : Concat(0, cells, c);
            }
        }

        return (batchFirst ? Transpose(sequence, 0, 1) : sequence, states!, cells!);
    }

    /// <summary>
    /// Gated recurrent units (arXiv 1406.1078), gates in the order r, z, n with n = tanh(W_in x + b_in + r (W_hn h + b_hn)): shapes as those of <see cref="Lstm"/>.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes don't fit.</exception>
    public static (Tensor Sequence, Tensor Hidden) Gru(Tensor x, Tensor hidden, IReadOnlyList<RecurrentWeights> weights, bool bidirectional = false, bool batchFirst = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(hidden);
        ArgumentNullException.ThrowIfNull(weights);
        int directions = RequireLayers("Gru", x, weights, bidirectional);
        Tensor sequence = batchFirst ? Transpose(x, 0, 1) : x;
        Tensor? states = null;
        for (int layer = 0; layer < weights.Count; layer += directions)
        {
            Tensor input = sequence;
            for (int index = layer; index < layer + directions; index++)
            {
                (Tensor y, Tensor h) = GruLayer(input, Select(hidden, 0, index), weights[index], reverse: index > layer);
                sequence = index == layer ? y : Concat(-1, sequence, y);
                states = states is null ? h : Concat(0, states, h);
            }
        }

        return (batchFirst ? Transpose(sequence, 0, 1) : sequence, states!);
    }

    /// <summary>Checks what all layers have in common; returns the directions of each.</summary>
    private static int RequireLayers(string op, Tensor x, IReadOnlyList<RecurrentWeights> weights, bool bidirectional)
    {
        int directions = bidirectional ? 2 : 1;
        if (x.Shape.Rank != 3 || weights.Count == 0 || weights.Count % directions != 0) throw new ArgumentException($"{op}: {weights.Count} weights and x of shape {x.Shape} don't fit");
        return directions;
    }

    /// <summary>What the nodes of recurrent layers have in common.</summary>
    private abstract class RecurrentNode : Node
    {
        protected void Set(Tensor x, Tensor h, RecurrentWeights w, bool reverse)
        {
            (X, H, Reverse) = (Save(x), Save(h), reverse);
            W = new RecurrentWeights(Save(w.Input), Save(w.Hidden), Save(w.InputBias), Save(w.HiddenBias));
        }

        protected Tensor X { get; private set; } = null!;

        protected Tensor H { get; private set; } = null!;

        protected RecurrentWeights W { get; private set; }

        protected bool Reverse { get; private set; }

        protected int Length => X.Shape[0];

        /// <summary>The gradients of x and of the weights, of those of the gates' arguments as sums of the input's and of the hidden state's part.</summary>
        protected void AccumulateProducts(Tensor input, Tensor hidden, Tensor before)
        {
            AccumulateProduct(W.Input, input, true, X, false, 1, W.Input.Precision);
            AccumulateProduct(W.Hidden, hidden, true, before, false, 1);
            AccumulateProduct(X, input, false, W.Input, false, 1, W.Input.Precision);
        }

        /// <summary>The same by ops, and those of the biases.</summary>
        protected void AccumulateByOps(Tensor input, Tensor hidden, Tensor[] before)
        {
            if (X.RequiresGrad) Accumulate(X, Reshape(MatMul(input, W.Input), X.Shape.Extents));
            if (W.Input.RequiresGrad) Accumulate(W.Input, MatMul(input, Reshape(X, input.Shape[0], X.Shape[2]), transposeA: true));
            if (W.Hidden.RequiresGrad) Accumulate(W.Hidden, MatMul(hidden, Concat(0, before), transposeA: true));
            if (W.InputBias is not null) Accumulate(W.InputBias, SumTo(input, W.InputBias.Shape));
            if (W.HiddenBias is not null) Accumulate(W.HiddenBias, SumTo(hidden, W.HiddenBias.Shape));
        }
    }
}
