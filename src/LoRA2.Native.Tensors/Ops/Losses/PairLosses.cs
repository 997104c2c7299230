using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Losses of pairs of values, as PyTorch has them. <see cref="MeanSquaredError(Tensor, Tensor)"/> is the fused one of training.</content>
public static partial class Ops
{
    /// <summary>(x − target)², element by element; both get gradients, and shapes broadcast.</summary>
    public static Tensor MeanSquaredError(Tensor x, Tensor target, LossReduction reduction)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(target);
        return ReducedLoss(Square(Subtract(x, target)), reduction);
    }

    /// <summary>|x − target|, element by element; the gradient where they are equal is 0.</summary>
    public static Tensor L1Loss(Tensor x, Tensor target, LossReduction reduction = LossReduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(target);
        return ReducedLoss(Abs(Subtract(x, target)), reduction);
    }

    /// <summary>d²/(2 β) where d = |x − target| is below β, else d − β/2, element by element.</summary>
    public static Tensor SmoothL1Loss(Tensor x, Tensor target, LossReduction reduction = LossReduction.Mean, double beta = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentOutOfRangeException.ThrowIfNegative(beta);
        if (beta == 0) return L1Loss(x, target, reduction);
        Tensor difference = Subtract(x, target);
        Tensor size = Abs(difference);
        return ReducedLoss(Where(Less(size, beta), Scale(Square(difference), 0.5 / beta), Subtract(size, 0.5 * beta)), reduction);
    }

    /// <summary>d²/2 where d = |x − target| is at most δ, else δ (d − δ/2), element by element (Huber, 1964).</summary>
    public static Tensor HuberLoss(Tensor x, Tensor target, LossReduction reduction = LossReduction.Mean, double delta = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(delta);
        Tensor difference = Subtract(x, target);
        Tensor size = Abs(difference);
        return ReducedLoss(Where(LessOrEqual(size, delta), Scale(Square(difference), 0.5), Scale(Subtract(size, 0.5 * delta), delta)), reduction);
    }

    /// <summary>
    /// The Kullback-Leibler divergence of a target from logs of probabilities, element by element: t (ln t − x), 0 where t is 0; e^t (t − x) where the target holds logarithms. The mean is over the elements.
    /// </summary>
    public static Tensor KullbackLeibler(Tensor logs, Tensor target, LossReduction reduction = LossReduction.Mean, bool logTarget = false)
    {
        ArgumentNullException.ThrowIfNull(logs);
        ArgumentNullException.ThrowIfNull(target);
        Tensor losses = logTarget ? Multiply(Exp(target), Subtract(target, logs)) : Subtract(XLogX(target), Multiply(target, logs));
        return ReducedLoss(losses, reduction);
    }

    /// <summary>a · b / (max(|a|, ε) max(|b|, ε)) along an axis, which disappears; shapes broadcast.</summary>
    public static Tensor CosineSimilarity(Tensor a, Tensor b, int axis = 1, double epsilon = 1e-8)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        Shape shape = Shape.Broadcast(a.Shape, b.Shape, "CosineSimilarity");
        if (shape.Rank == 0) return CosineSimilarity(Reshape(a, 1), Reshape(b, 1), 0, epsilon);
        axis = shape.Axis(axis);
        (a, b) = (BroadcastTo(a, shape), BroadcastTo(b, shape));
        Tensor left = Divide(a, Clamp(Norm(a, 2, [axis], keepDims: true), epsilon));
        Tensor right = Divide(b, Clamp(Norm(b, 2, [axis], keepDims: true), epsilon));
        return Sum(Multiply(left, right), axis);
    }

    /// <summary>1 − cos(a, b) where the target is 1, max(0, cos(a, b) − margin) where it is −1, for rows [rows, width] or vectors.</summary>
    public static Tensor CosineEmbeddingLoss(Tensor a, Tensor b, Tensor target, double margin = 0, LossReduction reduction = LossReduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(target);
        const double epsilon = 1e-12;
        Tensor product = Sum(Multiply(a, b), -1);
        Tensor squares = Multiply(Add(Sum(Square(a), -1), epsilon), Add(Sum(Square(b), -1), epsilon));
        Tensor cosine = Divide(product, Sqrt(squares));
        Tensor zero = Tensor.Zeros(cosine.Shape, cosine.DType, cosine.Device);
        Tensor losses = Add(Where(Equal(target, 1), Subtract(1, cosine), zero), Where(Equal(target, -1), Clamp(Subtract(cosine, margin), least: 0), zero));
        return ReducedLoss(losses, reduction);
    }

    /// <summary>
    /// max(0, d(anchor, positive) − d(anchor, negative) + margin) along the last axis, d(a, b) = (Σ |a − b + ε|^p)^(1/p); with <paramref name="swap"/> the negative's distance is the smaller of those to the
    /// anchor and to the positive (Balntas et al., BMVC 2016).
    /// </summary>
    public static Tensor TripletMarginLoss(
        Tensor anchor, Tensor positive, Tensor negative, double margin = 1, double p = 2, double epsilon = 1e-6, bool swap = false, LossReduction reduction = LossReduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(anchor);
        ArgumentNullException.ThrowIfNull(positive);
        ArgumentNullException.ThrowIfNull(negative);
        Tensor Distance(Tensor a, Tensor b) => Norm(Add(Subtract(a, b), epsilon), p, [-1]);
        Tensor far = Distance(anchor, negative);
        if (swap) far = Minimum(far, Distance(positive, negative));
        return ReducedLoss(Clamp(Add(Subtract(Distance(anchor, positive), far), margin), least: 0), reduction);
    }

    /// <summary>max(0, −target (a − b) + margin), element by element: the target is 1 where a should be the larger, else −1.</summary>
    public static Tensor MarginRankingLoss(Tensor a, Tensor b, Tensor target, double margin = 0, LossReduction reduction = LossReduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ArgumentNullException.ThrowIfNull(target);
        return ReducedLoss(Clamp(Add(Multiply(Negate(target), Subtract(a, b)), margin), least: 0), reduction);
    }

    /// <summary>x / max(‖x‖, ε), norms of order p taken along an axis.</summary>
    public static Tensor Normalize(Tensor x, double p, int axis, double epsilon = 1e-12)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Shape.Rank == 0
        ? Reshape(Normalize(Reshape(x, 1), p, 0, epsilon))
        : Divide(x, Clamp(Norm(x, p, [axis], keepDims: true), epsilon));
    }

    /// <summary>x ln x, 0 at 0, whose gradient there is 0 as in PyTorch's kl_div.</summary>
    private static Tensor XLogX(Tensor x)
    {
        Tensor positive = Greater(x, 0);
        return Where(LogicalOr(positive, IsNaN(x)), Multiply(x, Log(Where(positive, x, 1))), 0);
    }
}
