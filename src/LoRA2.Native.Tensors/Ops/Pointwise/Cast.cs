using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Changing the element type.</content>
public static partial class Ops
{
    /// <summary>
    /// The elements in another type; x itself when it has that type. Floating-point numbers lose their fraction towards 0, and what is not 0 is true. Between floating types the
    /// gradient passes.
    /// </summary>
    public static Tensor Cast(Tensor x, DType dtype)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.DType == dtype) return x;
        Tensor y = x.To(dtype);
        return dtype is DType.Float32 or DType.Float64 && Tape.Records(x) ? Tape.Record(CastNode.Of(x), y) : y;
    }

    private sealed class CastNode : OpNode
    {
        private Tensor x = null!;

        public static CastNode Of(Tensor x)
        {
            CastNode node = Take<CastNode>();
            node.x = x;
            return node;
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Cast(gradient, x.DType));
    }
}
