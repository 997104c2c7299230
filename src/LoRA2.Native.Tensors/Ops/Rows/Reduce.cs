using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Sums and means.</content>
public static partial class Ops
{
    /// <summary>The sum of all elements; rank 0. Integers and truth values are summed as Int64.</summary>
    public static Tensor Sum(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (!x.DType.IsFloat()) return Sum(x, []);
        x = Operand("Sum", x);
        Tensor y = Tensor.Zeros([], x.DType, x.Device);
        x.Device.Kernels.SumColumns(x.View([1, x.Count]), y);
        return Tape.Records(x) ? Tape.Record(SumNode.Of(x), y) : y;
    }

    /// <summary>The sum over one axis, which disappears, or stays with extent 1.</summary>
    public static Tensor Sum(Tensor x, int axis, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (keepDims || x.Shape.Rank == 0 || !x.DType.IsFloat()) return Sum(x, [axis], keepDims);
        RequireFloating("Sum", x);
        axis = x.Shape.Axis(axis);
        Shape kept = x.Shape.With(axis, 1);
        Tensor sum = Tensor.Zeros(kept, x.DType, x.Device);
        x.Device.Kernels.AccumulateInto(x.To(x.DType), BroadcastView(sum, x.Shape));
        Tensor y = sum.View(kept.Without(axis));
        return Tape.Records(x) ? Tape.Record(SumAxisNode.Of(x, kept), y) : y;
    }

    /// <summary>The sum over some axes, all when none is named; they disappear, or stay with extent 1.</summary>
    public static Tensor Sum(Tensor x, ReadOnlySpan<int> axes, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        Shape kept = Kept(x.Shape, axes);
        Tensor sum;
        if (x.DType.IsFloat())
        {
            RequireFloating("Sum", x);
            sum = SumTo(x, kept);
        }
        else sum = Reduced(ReduceKind.Sum, x, axes);

        return keepDims ? sum : WithoutAxes(sum, axes);
    }

    /// <summary>The mean over some axes, all when none is named; NaN where there is nothing.</summary>
    public static Tensor Mean(Tensor x, ReadOnlySpan<int> axes, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (!x.DType.IsFloat()) x = Cast(x, DType.Float32);
        Tensor sum = Sum(x, axes, keepDims);
        int count = Reduces(x.Shape, axes);
        return Scale(sum, count == 0 ? double.NaN : 1.0 / count);
    }

    /// <summary>The mean of all elements; rank 0; NaN when there are none.</summary>
    public static Tensor Mean(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Scale(Sum(x), x.Count == 0 ? double.NaN : 1.0 / x.Count);
    }

    /// <summary>The mean over one axis, which disappears; NaN where it has no position.</summary>
    public static Tensor Mean(Tensor x, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        int length = x.Shape[x.Shape.Axis(axis)];
        return Scale(Sum(x, axis), length == 0 ? double.NaN : 1.0 / length);
    }

    private sealed class SumNode : OpNode
    {
        private Tensor x = null!;

        public static SumNode Of(Tensor x)
        {
            SumNode node = Take<SumNode>();
            node.x = x;
            return node;
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Contiguous(BroadcastTo(gradient, x.Shape)));
    }

    private sealed class SumAxisNode : OpNode
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
            Accumulate(x, Contiguous(BroadcastTo(Reshape(gradient, kept.Extents), x.Shape)));
    }
}
