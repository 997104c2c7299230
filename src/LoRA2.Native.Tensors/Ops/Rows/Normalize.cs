using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Rows of length 1.</content>
public static partial class Ops
{
    /// <summary>
    /// x / max(‖x‖₂, ε) over the last axis, as PyTorch's <c>normalize</c>: a row shorter than ε is only divided by ε. The gradient reads the result and a number a row.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">ε is not above 0.</exception>
    public static Tensor Normalize(Tensor x, double epsilon = 1e-12)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (!(epsilon > 0)) throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "Normalize: the least length must be above 0");
        x = Operand("Normalize", x);
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        Tensor reciprocal = Tensor.Empty([x.Shape.Rows], x.DType, x.Device);
        x.Device.Kernels.Normalize(x, epsilon, y, reciprocal);
        return Tape.Records(x) ? Tape.Record(NormalizeNode.Of(x, y, reciprocal), y) : y;
    }

    private sealed class NormalizeNode : Node
    {
        private Tensor x = null!;
        private Tensor y = null!;
        private Tensor reciprocal = null!;

        public static NormalizeNode Of(Tensor x, Tensor y, Tensor reciprocal)
        {
            NormalizeNode node = Take<NormalizeNode>();
            node.x = x;
            node.y = node.Save(y);
            node.reciprocal = node.Save(reciprocal);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dx = Tensor.Empty(x.Shape, x.DType, x.Device);
            x.Device.Kernels.NormalizeBackward(y, reciprocal, gradient, dx);
            Accumulate(x, dx);
        }
    }
}
