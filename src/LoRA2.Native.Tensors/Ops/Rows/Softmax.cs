using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Rows;

namespace LoRA2.Native.Tensors;

/// <content>Softmax.</content>
public static partial class Ops
{
    /// <summary>The softmax over the last axis. The gradient reads the result. A row of −∞ alone has none: it is NaN.</summary>
    public static Tensor Softmax(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return SoftmaxOf("Softmax", x, null);
    }

    /// <summary>
    /// The softmax over the positions of the last axis whose mask (Int32, broadcast to x) is not 0; the others are exactly 0, and a row with none
    /// is all 0.
    /// </summary>
    public static Tensor MaskedSoftmax(Tensor x, Tensor mask)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(mask);
        if (mask.DType != DType.Int32) throw new ArgumentException($"MaskedSoftmax: the mask is {mask.DType}; Int32 is needed");
        if (Shape.Broadcast(x.Shape, mask.Shape, "MaskedSoftmax") != x.Shape) throw new ArgumentException($"MaskedSoftmax: a mask of shape {mask.Shape} is larger than x, {x.Shape}");
        return SoftmaxOf("MaskedSoftmax", x, Materialise(mask, x.Shape));
    }

    private static Tensor SoftmaxOf(string op, Tensor x, Tensor? mask)
    {
        x = Operand(op, x);
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        x.Device.Kernels.Softmax(x, mask, y);
        return Tape.Records(x) ? Tape.Record(SoftmaxNode.Of(x, y), y) : y;
    }

    private sealed class SoftmaxNode : Node
    {
        private Tensor x = null!;
        private Tensor y = null!;

        public static SoftmaxNode Of(Tensor x, Tensor y)
        {
            SoftmaxNode node = Take<SoftmaxNode>();
            node.x = x;
            node.y = node.Save(y);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dx = Tensor.Empty(x.Shape, x.DType, x.Device);
            x.Device.Kernels.SoftmaxBackward(y, gradient, dx);
            Accumulate(x, dx);
        }

        protected internal override void RecordedBackward(Tensor gradient)
        {
            Tensor product = Multiply(gradient, y);
            Accumulate(x, Subtract(product, Multiply(y, Sum(product, [-1], keepDims: true))));
        }
    }
}
