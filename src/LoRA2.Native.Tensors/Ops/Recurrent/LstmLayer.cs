using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>One direction of one layer of an LSTM.</content>
public static partial class Ops
{
    /// <summary>x [length, batch, in] from the states h and c [batch, hidden]: the hidden states [length, batch, hidden], and the last states [1, batch, hidden].</summary>
    private static (Tensor Sequence, Tensor Hidden, Tensor Cell) LstmLayer(Tensor x, Tensor h, Tensor c, RecurrentWeights w, bool reverse)
    {
        RequireLstm(x, h, c, w);
        (x, h, c, w) = (Contiguous(x), Contiguous(h), Contiguous(c), Contiguous(w));
        (int length, int batch, int size) = (x.Shape[0], h.Shape[0], h.Shape[1]);
        Kernels kernels = x.Device.Kernels;
        Tensor gates = Tensor.Empty([length, batch, 4 * size], x.DType, x.Device);
        kernels.MatMul(x, false, w.Input, true, gates, epilogue: new Epilogue(SumOfBiases(w)), precision: w.Input.Precision);
        // The first state, those of all positions and the last cell, in the order that makes both the states that are read by a step and the result one run. In reverse all is the other way round.
        Tensor states = Tensor.Empty([length + 2, batch, size], x.DType, x.Device), cells = Tensor.Empty([length + 1, batch, size], x.DType, x.Device);
        int first = reverse ? length : 0;
        Positions(states, reverse ? length + 1 : 0, 1).CopyFrom(h.View([1, batch, size]));
        Positions(cells, first, 1).CopyFrom(c.View([1, batch, size]));
        kernels.Lstm(gates, w.Hidden.To(x.DType), reverse, Positions(states, reverse ? 1 : 0, length + 1), cells);
        Positions(states, reverse ? 0 : length + 1, 1).CopyFrom(Positions(cells, length - first, 1));
        Tensor y = Positions(states, reverse ? 0 : 1, length + 1);
        if (Tape.Records(x, h, c, w.Input, w.Hidden, w.InputBias, w.HiddenBias)) Tape.Record(LstmNode.Of(x, h, c, w, reverse, gates, states, cells), y);
        return (Slice(y, 0, reverse ? 1 : 0, length), Slice(y, 0, reverse ? 1 : length - 1, 1), Slice(y, 0, reverse ? 0 : length, 1));
    }

    private static void RequireLstm(Tensor x, Tensor h, Tensor c, RecurrentWeights w)
    {
        RequireRecurrent("Lstm", 4, x, h, w);
        RequireSameType("Lstm", x, c);
        if (c.Shape != h.Shape) throw new ArgumentException($"Lstm: states of shapes {h.Shape} and {c.Shape} differ");
    }

    /// <summary>Checks one direction of a layer.</summary>
    private static void RequireRecurrent(string op, int gates, Tensor x, Tensor h, RecurrentWeights w)
    {
        RequireSameType(op, x, h, IsRounded(w.Input) ? null : w.Input, IsRounded(w.Hidden) ? null : w.Hidden, w.InputBias, w.HiddenBias);
        if (x.Shape[0] == 0) throw new ArgumentException($"{op}: x of shape {x.Shape} has no positions");
        if (h.Shape.Rank != 2 || h.Shape[0] != x.Shape[1]) throw new ArgumentException($"{op}: a state of shape {h.Shape} does not fit x of shape {x.Shape}");
        int size = h.Shape[1];
        if (w.Input.Shape != [gates * size, x.Shape[2]] || w.Hidden.Shape != [gates * size, size])
            throw new ArgumentException($"{op}: weights of shapes {w.Input.Shape} and {w.Hidden.Shape} don't fit x of shape {x.Shape} and states of shape {h.Shape}");
        foreach (Tensor? bias in (ReadOnlySpan<Tensor?>)[w.InputBias, w.HiddenBias])
        {
            if (bias is not null && bias.Shape != [gates * size]) throw new ArgumentException($"{op}: a bias of shape {bias.Shape} does not fit states of shape {h.Shape}");
        }
    }

    /// <summary>The weights with their elements in order.</summary>
    private static RecurrentWeights Contiguous(RecurrentWeights w) =>
        new(Contiguous(w.Input), Contiguous(w.Hidden), w.InputBias is null ? null : Contiguous(w.InputBias), w.HiddenBias is null ? null : Contiguous(w.HiddenBias));

    private static Tensor? SumOfBiases(RecurrentWeights w)
    {
        if (w.InputBias is null || w.HiddenBias is null) return w.InputBias ?? w.HiddenBias;
        Tensor sum = Tensor.Empty(w.InputBias.Shape, w.InputBias.DType, w.InputBias.Device);
        sum.Device.Kernels.Add(w.InputBias, w.HiddenBias, sum);
        return sum;
    }

    /// <summary>Some positions of the first axis of a contiguous tensor, as a view that no tape records.</summary>
    private static Tensor Positions(Tensor x, int first, int count) => x.View(x.Shape.With(0, count), x.Strides, first * x.Strides[0]);

    private sealed class LstmNode : RecurrentNode
    {
        private Tensor c = null!;
        private Tensor gates = null!;
        private Tensor states = null!;
        private Tensor cells = null!;

        public static LstmNode Of(Tensor x, Tensor h, Tensor c, RecurrentWeights w, bool reverse, Tensor gates, Tensor states, Tensor cells)
        {
            LstmNode node = Take<LstmNode>();
            node.Set(x, h, w, reverse);
            (node.c, node.gates, node.states, node.cells) = (node.Save(c), node.Save(gates), node.Save(states), node.Save(cells));
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Kernels kernels = X.Device.Kernels;
            Tensor dcell = Positions(gradient, Reverse ? 0 : Length, 1).Clone(), dfirst = Tensor.Empty(H.Shape, H.DType, H.Device);
            // This is the only pass that reads the gates: their gradients take their place.
            kernels.LstmBackward(gates, W.Hidden.To(X.DType), Reverse, cells, Positions(gradient, Reverse ? 1 : 0, Length), dcell, dfirst, H.RequiresGrad);
            AccumulateProducts(gates, gates, Positions(states, Reverse ? 2 : 0, Length));
            if (W.InputBias is { RequiresGrad: true } || W.HiddenBias is { RequiresGrad: true })
            {
                Tensor dbias = Tensor.Empty([gates.Shape.Columns], X.DType, X.Device);
                kernels.SumRows(gates, dbias);
                if (W.InputBias is not null) Accumulate(W.InputBias, dbias);
                if (W.HiddenBias is not null) Accumulate(W.HiddenBias, dbias);
            }

            Accumulate(H, dfirst);
            Accumulate(c, dcell.View(c.Shape));
        }

        protected internal override void RecordedBackward(Tensor gradient)
        {
            Tensor inputs = Linear(X, W.Input, W.InputBias);
            var steps = new (int At, Tensor H, Tensor C, Tensor I, Tensor F, Tensor G, Tensor O, Tensor T)[Length];
            int size = H.Shape[1];
            (Tensor hidden, Tensor cell) = (H, c);
            for (int step = 0; step < Length; step++)
            {
                int at = Reverse ? Length - 1 - step : step;
                Tensor a = Add(Select(inputs, 0, at), Linear(hidden, W.Hidden, W.HiddenBias));
                Tensor i = Sigmoid(Slice(a, -1, 0, size)), f = Sigmoid(Slice(a, -1, size, size));
                Tensor g = Tanh(Slice(a, -1, 2 * size, size)), o = Sigmoid(Slice(a, -1, 3 * size, size));
                Tensor next = Add(Multiply(f, cell), Multiply(i, g));
                steps[step] = (at, hidden, cell, i, f, g, o, Tanh(next));
                (cell, hidden) = (next, Multiply(o, steps[step].T));
            }

            var arguments = new Tensor[Length];
            var before = new Tensor[Length];
            Tensor dcell = Select(gradient, 0, Reverse ? 0 : Length);
            Tensor? dhidden = null;
            for (int step = Length - 1; step >= 0; step--)
            {
                (int at, Tensor from, Tensor was, Tensor i, Tensor f, Tensor g, Tensor o, Tensor t) = steps[step];
                before[at] = from;
                Tensor own = Select(gradient, 0, Reverse ? at + 1 : at);
                Tensor d = dhidden is null ? own : Add(own, dhidden);
                dcell = Add(dcell, Multiply(Multiply(d, o), Subtract(1, Square(t))));
                arguments[at] = Concat(
                    -1,
                    Multiply(Multiply(dcell, g), Multiply(i, Subtract(1, i))),
                    Multiply(Multiply(dcell, was), Multiply(f, Subtract(1, f))),
                    Multiply(Multiply(dcell, i), Subtract(1, Square(g))),
                    Multiply(Multiply(d, t), Multiply(o, Subtract(1, o))));
                dcell = Multiply(dcell, f);
                dhidden = MatMul(arguments[at], W.Hidden);
            }

            Tensor all = Concat(0, arguments);
            AccumulateByOps(all, all, before);
            Accumulate(H, dhidden!);
            Accumulate(c, dcell);
        }
    }
}
