using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>One direction of one layer of gated recurrent units.</content>
public static partial class Ops
{
    /// <summary>x [length, batch, in] from the state h [batch, hidden]: the hidden states [length, batch, hidden], and the last one [1, batch, hidden].</summary>
    private static (Tensor Sequence, Tensor Hidden) GruLayer(Tensor x, Tensor h, RecurrentWeights w, bool reverse)
    {
        RequireRecurrent("Gru", 3, x, h, w);
        (x, h, w) = (Contiguous(x), Contiguous(h), Contiguous(w));
        (int length, int batch, int size) = (x.Shape[0], h.Shape[0], h.Shape[1]);
        Kernels kernels = x.Device.Kernels;
        Tensor gates = Tensor.Empty([length, batch, 3 * size], x.DType, x.Device), own = Tensor.Empty(gates.Shape, x.DType, x.Device);
        kernels.MatMul(x, false, w.Input, true, gates, epilogue: new Epilogue(w.InputBias), precision: w.Input.Precision);
        Tensor states = Tensor.Empty([length + 1, batch, size], x.DType, x.Device);
        Positions(states, reverse ? length : 0, 1).CopyFrom(h.View([1, batch, size]));
        kernels.Gru(gates, own, w.Hidden.To(x.DType), w.HiddenBias, reverse, states);
        Tensor y = Positions(states, reverse ? 0 : 1, length);
        if (Tape.Records(x, h, w.Input, w.Hidden, w.InputBias, w.HiddenBias)) Tape.Record(GruNode.Of(x, h, w, reverse, gates, own, states), y);
        return (y, Slice(y, 0, reverse ? 0 : length - 1, 1));
    }

    private sealed class GruNode : RecurrentNode
    {
        private Tensor gates = null!;
        private Tensor own = null!;
        private Tensor states = null!;

        public static GruNode Of(Tensor x, Tensor h, RecurrentWeights w, bool reverse, Tensor gates, Tensor own, Tensor states)
        {
            GruNode node = Take<GruNode>();
            node.Set(x, h, w, reverse);
            (node.gates, node.own, node.states) = (node.Save(gates), node.Save(own), node.Save(states));
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dfirst = Tensor.Empty(H.Shape, H.DType, H.Device);
            // This is the only pass that reads the gates: their gradients take their place.
            X.Device.Kernels.GruBackward(gates, own, W.Hidden.To(X.DType), Reverse, states, gradient, dfirst, H.RequiresGrad);
            AccumulateProducts(gates, own, Positions(states, Reverse ? 1 : 0, Length));
            AccumulateSum(W.InputBias, gates);
            AccumulateSum(W.HiddenBias, own);
            Accumulate(H, dfirst);
        }

        protected internal override void RecordedBackward(Tensor gradient)
        {
            int size = H.Shape[1];
            Tensor inputs = Linear(X, W.Input, W.InputBias);
            var steps = new (int At, Tensor H, Tensor Own, Tensor R, Tensor Z, Tensor N)[Length];
            Tensor hidden = H;
            for (int step = 0; step < Length; step++)
            {
                int at = Reverse ? Length - 1 - step : step;
                Tensor input = Select(inputs, 0, at), part = Linear(hidden, W.Hidden, W.HiddenBias);
                Tensor r = Sigmoid(Add(Slice(input, -1, 0, size), Slice(part, -1, 0, size)));
                Tensor z = Sigmoid(Add(Slice(input, -1, size, size), Slice(part, -1, size, size)));
                Tensor candidate = Slice(part, -1, 2 * size, size);
                Tensor n = Tanh(Add(Slice(input, -1, 2 * size, size), Multiply(r, candidate)));
                steps[step] = (at, hidden, candidate, r, z, n);
                hidden = Add(n, Multiply(z, Subtract(hidden, n)));
            }

            (var ofInput, var ofHidden, var before) = (new Tensor[Length], new Tensor[Length], new Tensor[Length]);
            Tensor? next = null;
            for (int step = Length - 1; step >= 0; step--)
            {
                (int at, Tensor was, Tensor candidate, Tensor r, Tensor z, Tensor n) = steps[step];
                before[at] = was;
                Tensor dh = Select(gradient, 0, at);
                if (next is not null) dh = Add(dh, next);
                Tensor dn = Multiply(Multiply(dh, Subtract(1, z)), Subtract(1, Square(n)));
                Tensor dz = Multiply(Multiply(dh, Subtract(was, n)), Multiply(z, Subtract(1, z)));
                Tensor dr = Multiply(Multiply(dn, candidate), Multiply(r, Subtract(1, r)));
                ofInput[at] = Concat(-1, dr, dz, dn);
                ofHidden[at] = Concat(-1, dr, dz, Multiply(dn, r));
                next = Add(Multiply(dh, z), MatMul(ofHidden[at], W.Hidden));
            }

            AccumulateByOps(Concat(0, ofInput), Concat(0, ofHidden), before);
            Accumulate(H, next!);
        }
    }
}
