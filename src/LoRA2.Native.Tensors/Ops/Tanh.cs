namespace LoRA2.Native.Tensors;

/// <content>The hyperbolic tangent.</content>
public static partial class Ops
{
    /// <summary>y = tanh x, element by element. The gradient reads y.</summary>
    public static Tensor Tanh(Tensor x)
    {
        x = Operand("Tanh", x);
        Tensor y = Tensor.Empty(x.Shape, x.DType);
        x.Device.Kernels.Tanh(x, y);
        return Tape.Records(x) ? Tape.Record(new TanhNode(x, y), y) : y;
    }

    private sealed class TanhNode : Node
    {
        private readonly Tensor x;
        private readonly Tensor y;

        public TanhNode(Tensor x, Tensor y)
        {
            this.x = x;
            this.y = Save(y);
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dx = Tensor.Empty(x.Shape, x.DType);
            x.Device.Kernels.TanhBackward(y, gradient, dx);
            Accumulate(x, dx);
        }
    }
}
