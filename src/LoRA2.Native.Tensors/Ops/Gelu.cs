namespace LoRA2.Native.Tensors;

/// <content>The Gaussian error linear unit.</content>
public static partial class Ops
{
    /// <summary>y = x Φ(x), element by element: the exact form, with erf (arXiv 1606.08415). The gradient reads x.</summary>
    public static Tensor Gelu(Tensor x)
    {
        x = Operand("Gelu", x);
        Tensor y = Tensor.Empty(x.Shape, x.DType);
        x.Device.Kernels.Gelu(x, y);
        return Tape.Records(x) ? Tape.Record(GeluNode.Of(x), y) : y;
    }

    private sealed class GeluNode : Node
    {
        private Tensor x = null!;

        public static GeluNode Of(Tensor x)
        {
            GeluNode node = Take<GeluNode>();
            node.x = node.Save(x);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dx = Tensor.Empty(x.Shape, x.DType);
            x.Device.Kernels.GeluBackward(x, gradient, dx);
            Accumulate(x, dx);
        }
    }
}
