using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Pointwise;

namespace LoRA2.Native.Tensors;

/// <content>The Gaussian error linear unit.</content>
public static partial class Ops
{
    /// <summary>y = x Φ(x), element by element: the exact form, with erf (arXiv 1606.08415). The gradient reads x.</summary>
    public static Tensor Gelu(Tensor x)
    {
        x = Operand("Gelu", x);
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        x.Device.Kernels.Gelu(x, y);
        return Tape.Records(x) ? Tape.Record(GeluNode.Of(x), y) : y;
    }

    /// <summary>What a layer returns whose product also wrote gelu of its result y: that, recorded as an op of its own; without it, y.</summary>
    private static Tensor Activated(Tensor y, Tensor? activated) =>
        activated is null ? y : Tape.Records(y) ? Tape.Record(GeluNode.Of(y), activated) : activated;

    private sealed class GeluNode : Node
    {
        private Tensor x = null!;

        public static GeluNode Of(Tensor x)
        {
            GeluNode node = Take<GeluNode>();
            node.x = node.Save(x);
            return node;
        }

        public Tensor Input => x;

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dx = Tensor.Empty(x.Shape, x.DType, x.Device);
            x.Device.Kernels.GeluBackward(x, gradient, dx);
            Accumulate(x, dx);
        }
    }
}
