using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Variance, standard deviation, norms, log-sum-exp, median.</content>
public static partial class Ops
{
    /// <summary>Σ (x − mean)² / (n − correction) over some axes, all when none is named: 1 for the unbiased estimate, 0 for the variance of what is there.</summary>
    public static Tensor Variance(Tensor x, ReadOnlySpan<int> axes = default, double correction = 1, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        Tensor off = Subtract(x, Mean(x, axes, keepDims: true));
        double count = Math.Max(0, Reduces(x.Shape, axes) - correction);
        if (count == 0 && (axes.IsEmpty || x.Shape.Rank == 0) && Tape.Records(x))
        {
            // The estimate is NaN, and its gradient infinite as in PyTorch.
            Tensor y = Unrecorded(() => Multiply(Sum(Square(off), []), 1 / count));
            y = Tape.Record(new InfiniteNode(x), y);
            return keepDims ? Reshape(y, Kept(x.Shape, axes).Extents) : y;
        }

        return Multiply(Sum(Square(off), axes, keepDims), 1 / count);
    }

    /// <summary>√<see cref="Variance"/>. Its gradient where it is 0 is 0.</summary>
    public static Tensor StandardDeviation(Tensor x, ReadOnlySpan<int> axes = default, double correction = 1, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Root(Variance(x, axes, correction, keepDims));
    }

    /// <summary>ln Σ e^x over some axes, without overflow.</summary>
    public static Tensor LogSumExp(Tensor x, ReadOnlySpan<int> axes, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        Tensor most = x.Count == 0 ? Tensor.Zeros(Kept(x.Shape, axes), x.DType, x.Device) : Reduced(ReduceKind.Max, x, axes);
        most = Unrecorded(() => Where(IsInfinite(most), 0, most));
        Tensor sum = Log(Sum(Exp(Subtract(x, most)), axes, keepDims));
        return Add(sum, keepDims ? most : WithoutAxes(most, axes));
    }

    /// <summary>
    /// (Σ |x|^p)^(1/p) over some axes, all when none is named; the largest |x| for p = ∞, the smallest for −∞, the number that are not 0 for 0. Gradients at 0 are PyTorch's.
    /// </summary>
    public static Tensor Norm(Tensor x, double p = 2, ReadOnlySpan<int> axes = default, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        RequireFloating("Norm", x);
        x = Contiguous(x);
        int[] over = axes.ToArray();
        Tensor y = Unrecorded(() => NormOf(x, p, over));
        if (Tape.Records(x)) y = Tape.Record(new NormNode(x, p, y), y);
        return keepDims ? y : WithoutAxes(y, axes);
    }

    /// <summary>The middle element of all in order, the lower of two middle ones; NaN when there is one. Rank 0.</summary>
    public static Tensor Median(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Reshape(MedianWithIndices(Reshape(x, x.Count), 0).Values);
    }

    /// <summary>The middle element along an axis, the lower of two middle ones, and where it is (Int64); NaN when there is one.</summary>
    public static (Tensor Values, Tensor Indices) MedianWithIndices(Tensor x, int axis, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank == 0) return (Alias(x), Tensor.Zeros([], DType.Int64, x.Device));
        axis = x.Shape.Axis(axis);
        if (x.Shape[axis] == 0) throw new ArgumentException($"Median: axis {axis} of shape {x.Shape} has no position");
        Tensor order = ArgSort(x, axis);
        Tensor indices = Contiguous(Slice(order, axis, (x.Shape[axis] - 1) / 2, 1));
        // NaN is sorted last, and wins.
        Tensor last = Contiguous(Slice(order, axis, x.Shape[axis] - 1, 1));
        indices = Unrecorded(() => Where(IsNaN(TakeAlongAxis(x, last, axis)), last, indices));
        Tensor values = TakeAlongAxis(x, indices, axis);
        return keepDims ? (values, indices) : (WithoutAxes(values, [axis]), WithoutAxes(indices, [axis]));
    }

    private static Tensor NormOf(Tensor x, double p, int[] axes)
    {
        if (x.Count == 0) return Tensor.Zeros(Kept(x.Shape, axes), x.DType, x.Device);
        return p switch
        {
            double.PositiveInfinity => Reduced(ReduceKind.Max, Abs(x), axes),
            double.NegativeInfinity => Reduced(ReduceKind.Min, Abs(x), axes),
            0 => Cast(Sum(NotEqual(x, 0), axes, keepDims: true), x.DType),
            1 => Sum(Abs(x), axes, keepDims: true),
            2 => Sqrt(Sum(Square(x), axes, keepDims: true)),
            _ => Power(Sum(Power(Abs(x), p), axes, keepDims: true), 1 / p),
        };
    }

    /// <summary>√x, whose gradient at 0 is 0.</summary>
    private static Tensor Root(Tensor x)
    {
        Tensor y = Unrecorded(() => Sqrt(x));
        return Tape.Records(x) ? Tape.Record(new RootNode(x, y), y) : y;
    }

    private sealed class InfiniteNode(Tensor x) : OpNode
    {
        protected internal override void Backward(Tensor gradient) => Accumulate(x, Contiguous(BroadcastTo(Scale(gradient, double.PositiveInfinity), x.Shape)));
    }

    private sealed class RootNode : OpNode
    {
        private readonly Tensor x;
        private readonly Tensor y;

        public RootNode(Tensor x, Tensor y)
        {
            this.x = x;
            this.y = Save(y);
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Where(Equal(y, 0), 0, Divide(gradient, Scale(y, 2))));
    }

    private sealed class NormNode : OpNode
    {
        private readonly Tensor x;
        private readonly double p;
        private readonly Tensor y;

        public NormNode(Tensor x, double p, Tensor y)
        {
            this.x = Save(x);
            this.p = p;
            this.y = Save(y);
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Of(gradient));

        private Tensor Of(Tensor gradient)
        {
            if (x.Count == 0 || p == 0) return Tensor.Zeros(x.Shape, x.DType, x.Device);
            if (p == 1) return Multiply(Sign(x), gradient);
            if (p == 2) return Multiply(x, Where(Equal(y, 0), 0, Divide(gradient, y)));
            if (double.IsInfinity(p))
            {
                Tensor size = Abs(x);
                Tensor chosen = Cast(LogicalOr(Equal(size, y), IsNaN(size)), x.DType);
                return Multiply(Sign(x), Multiply(Divide(gradient, SumTo(chosen, y.Shape)), chosen));
            }

            if (p < 1)
            {
                Tensor powers = Where(Equal(x, 0), 0, Multiply(Sign(x), Power(Abs(x), p - 1)));
                return Multiply(Multiply(powers, gradient), Power(y, 1 - p));
            }

            Tensor scale = Where(Equal(y, 0), 0, Divide(gradient, Power(y, p - 1)));
            return Multiply(p < 2 ? Multiply(Sign(x), Power(Abs(x), p - 1)) : Multiply(x, Power(Abs(x), p - 2)), scale);
        }
    }
}
