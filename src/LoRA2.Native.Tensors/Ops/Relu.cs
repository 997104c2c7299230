namespace LoRA2.Native.Tensors;

/// <content>The rectifier.</content>
public static partial class Ops
{
    /// <summary>y = max(x, 0), element by element. The gradient at 0 is 0.</summary>
    public static Tensor Relu(Tensor x)
    {
        x = Operand("Relu", x);
        Tensor y = Tensor.Empty(x.Shape, x.DType);
        x.Device.Kernels.Relu(x, y);
        return Tape.Records(x) ? Tape.Record(new ReluNode(x, y), y) : y;
    }

    private sealed class ReluNode : Node
    {
        private readonly Tensor x;
        private readonly Tensor y;

        public ReluNode(Tensor x, Tensor y)
        {
            this.x = x;
            this.y = Save(y);
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dx = Tensor.Empty(x.Shape, x.DType);
            x.Device.Kernels.ReluBackward(y, gradient, dx);
            Accumulate(x, dx);
        }
    }
}
