using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>The largest and the smallest, and where they are.</content>
public static partial class Ops
{
    /// <summary>The largest of all elements; NaN when there is one. Equal ones share the gradient.</summary>
    /// <exception cref="ArgumentException">There are no elements.</exception>
    public static Tensor Max(Tensor x) => Extreme(ReduceKind.Max, x, [], false, sharesNaN: true);

    /// <summary>The smallest of all elements; NaN when there is one. Equal ones share the gradient.</summary>
    /// <exception cref="ArgumentException">There are no elements.</exception>
    public static Tensor Min(Tensor x) => Extreme(ReduceKind.Min, x, [], false, sharesNaN: true);

    /// <summary>The largest over some axes, all when none is named; NaN where there is one. Equal ones share the gradient (PyTorch's <c>amax</c>).</summary>
    /// <exception cref="ArgumentException">There are no elements.</exception>
    public static Tensor Max(Tensor x, ReadOnlySpan<int> axes, bool keepDims = false) => Extreme(ReduceKind.Max, x, axes, keepDims);

    /// <summary>The smallest over some axes, all when none is named; NaN where there is one. Equal ones share the gradient (PyTorch's <c>amin</c>).</summary>
    /// <exception cref="ArgumentException">There are no elements.</exception>
    public static Tensor Min(Tensor x, ReadOnlySpan<int> axes, bool keepDims = false) => Extreme(ReduceKind.Min, x, axes, keepDims);

    /// <summary>The largest along one axis, and where it is (Int64): the first of equal ones, which takes the whole gradient; NaN when there is one.</summary>
    /// <exception cref="ArgumentException">There are no elements.</exception>
    public static (Tensor Values, Tensor Indices) MaxWithIndices(Tensor x, int axis, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Chosen(ReduceKind.ArgMax, x, axis, keepDims);
    }

    /// <summary>The smallest along one axis, and where it is (Int64): the first of equal ones, which takes the whole gradient; NaN when there is one.</summary>
    /// <exception cref="ArgumentException">There are no elements.</exception>
    public static (Tensor Values, Tensor Indices) MinWithIndices(Tensor x, int axis, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Chosen(ReduceKind.ArgMin, x, axis, keepDims);
    }

    /// <summary>Where the first of the largest elements is, counted through all axes in order: Int64, rank 0.</summary>
    /// <exception cref="ArgumentException">There are no elements.</exception>
    public static Tensor ArgMax(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return WithoutAxes(Reduced(ReduceKind.ArgMax, x, []), []);
    }

    /// <summary>Where the first of the smallest elements is, counted through all axes in order: Int64, rank 0.</summary>
    /// <exception cref="ArgumentException">There are no elements.</exception>
    public static Tensor ArgMin(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return WithoutAxes(Reduced(ReduceKind.ArgMin, x, []), []);
    }

    /// <summary>Where the first of the largest elements along an axis is: Int64.</summary>
    /// <exception cref="ArgumentException">There are no elements.</exception>
    public static Tensor ArgMax(Tensor x, int axis, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Along(ReduceKind.ArgMax, x, [axis], keepDims);
    }

    /// <summary>Where the first of the smallest elements along an axis is: Int64.</summary>
    /// <exception cref="ArgumentException">There are no elements.</exception>
    public static Tensor ArgMin(Tensor x, int axis, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Along(ReduceKind.ArgMin, x, [axis], keepDims);
    }

    /// <summary>Whether any element is not 0, over some axes, all when none is named: of Bool.</summary>
    public static Tensor Any(Tensor x, ReadOnlySpan<int> axes = default, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Along(ReduceKind.Any, x, axes, keepDims);
    }

    /// <summary>Whether no element is 0, over some axes, all when none is named: of Bool.</summary>
    public static Tensor All(Tensor x, ReadOnlySpan<int> axes = default, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Along(ReduceKind.All, x, axes, keepDims);
    }

    private static Tensor Along(ReduceKind kind, Tensor x, ReadOnlySpan<int> axes, bool keepDims)
    {
        Tensor y = Reduced(kind, x, axes);
        return keepDims ? y : WithoutAxes(y, axes);
    }

    private static Tensor Extreme(ReduceKind kind, Tensor x, ReadOnlySpan<int> axes, bool keepDims, bool sharesNaN = false)
    {
        x = Contiguous(x);
        Tensor y = Reduced(kind, x, axes);
        if (Tape.Records(x)) y = Tape.Record(ExtremeNode.Of(x, y, sharesNaN), y);
        return keepDims ? y : WithoutAxes(y, axes);
    }

    private static (Tensor Values, Tensor Indices) Chosen(ReduceKind kind, Tensor x, int axis, bool keepDims)
    {
        if (x.Shape.Rank == 0) return (Alias(x), Tensor.Zeros([], DType.Int64, x.Device));
        axis = x.Shape.Axis(axis);
        Tensor indices = Reduced(kind, x, [axis]);
        Tensor values = TakeAlongAxis(x, indices, axis);
        return keepDims ? (values, indices) : (WithoutAxes(values, [axis]), WithoutAxes(indices, [axis]));
    }

    private sealed class ExtremeNode : OpNode
    {
        private Tensor x = null!;
        private Tensor y = null!;
        private bool sharesNaN;

        public static ExtremeNode Of(Tensor x, Tensor y, bool sharesNaN)
        {
            ExtremeNode node = Take<ExtremeNode>();
            node.x = node.Save(x);
            node.y = node.Save(y);
            node.sharesNaN = sharesNaN;
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor equal = Equal(x, y);
            Tensor chosen = Cast(sharesNaN ? LogicalOr(equal, LogicalAnd(IsNaN(x), IsNaN(y))) : equal, x.DType);
            Accumulate(x, Multiply(chosen, Divide(gradient, SumTo(chosen, y.Shape))));
        }
    }
}
