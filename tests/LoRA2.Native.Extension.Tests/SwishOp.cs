using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;

namespace LoRA2.Native.Extension.Tests;

/// <summary>An op: y = x σ(x), element by element (arXiv 1702.03118), with a gradient of its own.</summary>
public static class SwishOp
{
    /// <summary>Its entry in the catalogue.</summary>
    public static OpEntry Entry { get; } = new(nameof(Swish), source =>
    {
        Tensor x = source.Values(source.Shape());
        return new OpCase([x], inputs => Swish(inputs[0]), x.ToString());
    });

    /// <summary>Any shape and float type, on any device.</summary>
    public static Tensor Swish(Tensor x)
    {
        // σ(x) = (tanh(x / 2) + 1) / 2
        Tensor gate = Tape.Unrecorded(() => Ops.Scale(PlusOne(Ops.Tanh(Ops.Scale(x, 0.5))), 0.5));
        Tensor y = Tape.Unrecorded(() => Ops.Multiply(x, gate));
        return Tape.Records(x) ? Tape.Record(SwishNode.Of(x, gate), y) : y;
    }

    private static Tensor PlusOne(Tensor x) => Ops.Add(x, Tensor.Full([], 1, x.DType, x.Device));

    private sealed class SwishNode : Node
    {
        private Tensor x = null!;
        private Tensor gate = null!;

        public static SwishNode Of(Tensor x, Tensor gate)
        {
            SwishNode node = Take<SwishNode>();
            (node.x, node.gate) = (node.Save(x), node.Save(gate));
            return node;
        }

        /// <summary>dy/dx = σ (1 + x (1 − σ)).</summary>
        protected override void Backward(Tensor gradient)
        {
            Tensor slope = Ops.Multiply(gate, PlusOne(Ops.Multiply(x, PlusOne(Ops.Scale(gate, -1)))));
            Accumulate(x, Ops.Multiply(gradient, slope));
        }
    }
}
