using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Choosing by a condition.</content>
public static partial class Ops
{
    /// <summary>a where the condition is true (not 0), else b; shapes broadcast and types are promoted.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Where(Tensor condition, Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        Shape shape = Shape.Broadcast(Shape.Broadcast(a.Shape, b.Shape, "Where"), condition.Shape, "Where");
        DType type = a.DType.With(b.DType);
        (condition, a, b) = (Cast(condition, DType.Bool), Cast(a, type), Cast(b, type));
        Tensor y = Tensor.Empty(shape, type, a.Device);
        a.Device.Kernels.Select(RawBroadcast(condition, shape), RawBroadcast(a, shape), RawBroadcast(b, shape), y);
        return Tape.Records(a, b) ? Tape.Record(WhereNode.Of(condition, a, b), y) : y;
    }

    /// <inheritdoc cref="Where(Tensor, Tensor, Tensor)"/>
    public static Tensor Where(Tensor condition, Tensor a, Scalar b)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(a);
        return Where(condition, a, OperandOf(b, a));
    }

    /// <inheritdoc cref="Where(Tensor, Tensor, Tensor)"/>
    public static Tensor Where(Tensor condition, Scalar a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(b);
        return Where(condition, OperandOf(a, b), b);
    }

    /// <summary>x, but <paramref name="value"/> where the mask is true; the mask broadcasts to x.</summary>
    /// <exception cref="ArgumentException">The mask doesn't broadcast to x.</exception>
    public static Tensor MaskedFill(Tensor x, Tensor mask, Tensor value)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(mask);
        ArgumentNullException.ThrowIfNull(value);
        return Where(mask, Cast(value, x.DType), x);
    }

    /// <inheritdoc cref="MaskedFill(Tensor, Tensor, Tensor)"/>
    public static Tensor MaskedFill(Tensor x, Tensor mask, Scalar value)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(mask);
        return MaskedFill(x, mask, OperandOf(value, x));
    }

    private sealed class WhereNode : OpNode
    {
        private Tensor condition = null!;
        private Tensor a = null!;
        private Tensor b = null!;

        public static WhereNode Of(Tensor condition, Tensor a, Tensor b)
        {
            WhereNode node = Take<WhereNode>();
            node.condition = node.Save(condition);
            (node.a, node.b) = (a, b);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            if (a.RequiresGrad) Accumulate(a, SumTo(Where(condition, gradient, 0), a.Shape));
            if (b.RequiresGrad) Accumulate(b, SumTo(Where(condition, 0, gradient), b.Shape));
        }
    }
}
