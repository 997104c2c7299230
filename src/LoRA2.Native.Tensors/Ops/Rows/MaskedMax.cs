using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>The largest over the tokens of a text.</content>
public static partial class Ops
{
    /// <summary>
    /// y[b, c] = the largest x[b, t, c] over the t whose mask[b, t] (Int32) is not 0; 0 where there is none: [batch, length, width] → [batch, width]. NaN is kept. The gradient goes to
    /// the first of the largest.
    /// </summary>
    /// <exception cref="ArgumentException">x has not three axes, or the mask is not Int32 of its first two.</exception>
    public static Tensor MaskedMax(Tensor x, Tensor mask)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(mask);
        if (mask.DType != DType.Int32) throw new ArgumentException($"MaskedMax: the mask is {mask.DType}; Int32 is needed");
        if (x.Shape.Rank != 3 || mask.Shape.Rank != 2 || mask.Shape[0] != x.Shape[0] || mask.Shape[1] != x.Shape[1])
            throw new ArgumentException($"MaskedMax: x {x.Shape} must be [batch, length, width] and the mask {mask.Shape} [batch, length]");
        x = Operand("MaskedMax", x);
        Shape shape = [x.Shape[0], x.Shape[2]];
        Tensor y = Tensor.Empty(shape, x.DType, x.Device);
        Tensor places = Tensor.Empty(shape, DType.Int32, x.Device);
        x.Device.Kernels.MaskedMax(x, mask.To(mask.DType), y, places);
        return Tape.Records(x) ? Tape.Record(MaskedMaxNode.Of(x, places), y) : y;
    }

    private sealed class MaskedMaxNode : Node
    {
        private Tensor x = null!;
        private Tensor places = null!;

        public static MaskedMaxNode Of(Tensor x, Tensor places)
        {
            MaskedMaxNode node = Take<MaskedMaxNode>();
            node.x = x;
            node.places = node.Save(places);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dx = Tensor.Zeros(x.Shape, x.DType, x.Device);
            x.Device.Kernels.MaskedMaxBackward(places, gradient, dx);
            Accumulate(x, dx);
        }
    }
}
