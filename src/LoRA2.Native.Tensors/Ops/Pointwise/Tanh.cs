using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Pointwise;

namespace LoRA2.Native.Tensors;

/// <content>The hyperbolic tangent.</content>
public static partial class Ops
{
    /// <summary>y = tanh x, element by element. The gradient reads y.</summary>
    public static Tensor Tanh(Tensor x)
    {
        x = Operand("Tanh", x);
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        x.Device.Kernels.Tanh(x, y);
        return Tape.Records(x) ? Tape.Record(TanhNode.Of(x, y), y) : y;
    }

    private sealed class TanhNode : Node
    {
        private Tensor x = null!;
        private Tensor y = null!;

        public static TanhNode Of(Tensor x, Tensor y)
        {
            TanhNode node = Take<TanhNode>();
            node.x = x;
            node.y = node.Save(y);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dx = Tensor.Empty(x.Shape, x.DType, x.Device);
            x.Device.Kernels.TanhBackward(y, gradient, dx);
            Accumulate(x, dx);
        }
    }
}
