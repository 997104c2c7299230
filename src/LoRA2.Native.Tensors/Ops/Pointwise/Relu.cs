using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Pointwise;

namespace LoRA2.Native.Tensors;

/// <content>The rectifier.</content>
public static partial class Ops
{
    /// <summary>y = max(x, 0), element by element. The gradient at 0 is 0.</summary>
    public static Tensor Relu(Tensor x)
    {
        x = Operand("Relu", x);
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        x.Device.Kernels.Relu(x, y);
        return Tape.Records(x) ? Tape.Record(ReluNode.Of(x, y), y) : y;
    }

    private sealed class ReluNode : Node
    {
        private Tensor x = null!;
        private Tensor y = null!;

        public static ReluNode Of(Tensor x, Tensor y)
        {
            ReluNode node = Take<ReluNode>();
            node.x = x;
            node.y = node.Save(y);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dx = Tensor.Empty(x.Shape, x.DType, x.Device);
            x.Device.Kernels.ReluBackward(y, gradient, dx);
            Accumulate(x, dx);
        }
    }
}
