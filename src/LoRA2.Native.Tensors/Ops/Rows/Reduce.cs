using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Sums and means.</content>
public static partial class Ops
{
    /// <summary>The sum of all elements; rank 0.</summary>
    public static Tensor Sum(Tensor x)
    {
        x = Operand("Sum", x);
        Tensor y = Tensor.Zeros([], x.DType, x.Device);
        x.Device.Kernels.SumColumns(x.View([1, x.Count]), y);
        return Tape.Records(x) ? Tape.Record(SumNode.Of(x), y) : y;
    }

    /// <summary>The sum over one axis, which disappears.</summary>
    public static Tensor Sum(Tensor x, int axis)
    {
        RequireFloating("Sum", x);
        axis = x.Shape.Axis(axis);
        Shape kept = x.Shape.With(axis, 1);
        Tensor sum = Tensor.Zeros(kept, x.DType, x.Device);
        x.Device.Kernels.AccumulateInto(x.To(x.DType), BroadcastView(sum, x.Shape));
        Tensor y = sum.View(kept.Without(axis));
        return Tape.Records(x) ? Tape.Record(SumAxisNode.Of(x, kept), y) : y;
    }

    /// <summary>The mean of all elements; rank 0; NaN when there are none.</summary>
    public static Tensor Mean(Tensor x) => Scale(Sum(x), x.Count == 0 ? double.NaN : 1.0 / x.Count);

    /// <summary>The mean over one axis, which disappears; NaN where it has no position.</summary>
    public static Tensor Mean(Tensor x, int axis)
    {
        int length = x.Shape[x.Shape.Axis(axis)];
        return Scale(Sum(x, axis), length == 0 ? double.NaN : 1.0 / length);
    }

    private sealed class SumNode : Node
    {
        private Tensor x = null!;

        public static SumNode Of(Tensor x)
        {
            SumNode node = Take<SumNode>();
            node.x = x;
            return node;
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Materialise(gradient, x.Shape));
    }

    private sealed class SumAxisNode : Node
    {
        private Tensor x = null!;
        private Shape kept;

        public static SumAxisNode Of(Tensor x, Shape kept)
        {
            SumAxisNode node = Take<SumAxisNode>();
            (node.x, node.kept) = (x, kept);
            return node;
        }

        protected internal override void Backward(Tensor gradient) =>
            Accumulate(x, Materialise(gradient.View(kept), x.Shape));
    }
}
