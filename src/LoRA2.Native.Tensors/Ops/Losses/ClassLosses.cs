using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Losses of classification, with their options. <see cref="CrossEntropy(Tensor, Tensor)"/> is the fused one of training.</content>
public static partial class Ops
{
    /// <summary>
    /// The cross-entropy of logits [.., classes, ..], classes along axis 1 (0 of a vector), as PyTorch has it. The target is the classes (Int32 or Int64) in logits' shape without that axis, or
    /// probabilities of logits' shape and type.
    /// </summary>
    /// <param name="logits">[classes], [rows, classes] or [rows, classes, …].</param>
    /// <param name="target">Classes or probabilities.</param>
    /// <param name="reduction">What becomes of the losses of the rows.</param>
    /// <param name="weight">A weight for each class, or null.</param>
    /// <param name="ignored">The class whose rows don't count.</param>
    /// <param name="smoothing">The part of each row's target that is spread over all classes (arXiv 1512.00567, section 7).</param>
    /// <exception cref="ArgumentException">Shapes don't fit, or a label is not a class.</exception>
    public static Tensor CrossEntropy(Tensor logits, Tensor target, LossReduction reduction, Tensor? weight = null, int ignored = -100, double smoothing = 0)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(target);
        RequireFloating("CrossEntropy", logits);
        int axis = logits.Shape.Rank == 1 ? 0 : 1;
        if (logits.Shape.Rank == 0) throw new ArgumentException("CrossEntropy: a scalar has no classes");
        int classes = logits.Shape[axis];
        Tensor logs = LogSoftmax(logits, axis);
        if (target.DType.IsFloat())
        {
            if (target.Shape != logits.Shape) throw new ArgumentException($"CrossEntropy: probabilities of shape {target.Shape} don't fit logits {logits.Shape}");
            if (smoothing > 0) target = Add(Scale(target, 1 - smoothing), smoothing / classes);
            Tensor terms = Multiply(logs, target);
            if (weight is not null) terms = Multiply(terms, AlongClasses(weight, logits.Shape, axis));
            Tensor losses = Negate(Sum(terms, axis));
            return reduction == LossReduction.Mean ? Scale(Sum(losses), (double)classes / logits.Count) : ReducedLoss(losses, reduction);
        }

        Tensor likelihood = NegativeLogLikelihood(logs, target, reduction, weight, ignored);
        if (smoothing == 0) return likelihood;
        Tensor weighted = weight is null ? logs : Multiply(logs, AlongClasses(weight, logits.Shape, axis));
        Tensor counts = Counted(logs, target, ignored, axis);
        Tensor smooth = Multiply(Negate(Sum(weighted, axis)), counts);
        Tensor spread = reduction switch
        {
            LossReduction.Mean => Divide(Sum(smooth), weight is null ? Sum(counts) : Sum(Multiply(counts, WeightsOf(weight, target, logs, ignored)))),
            LossReduction.Sum => Sum(smooth),
            _ => smooth,
        };
        return Add(Scale(likelihood, 1 - smoothing), Scale(spread, smoothing / classes));
    }

    /// <summary>
    /// −weight · the log-probability of each row's class: logs are [.., classes, ..], classes along axis 1 (0 of a vector), the target their classes (Int32 or Int64) in that shape without the axis.
    /// The mean is over the sum of the weights of the rows that count; NaN when none does.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes don't fit, or a label is not a class.</exception>
    public static Tensor NegativeLogLikelihood(Tensor logs, Tensor target, LossReduction reduction = LossReduction.Mean, Tensor? weight = null, int ignored = -100)
    {
        ArgumentNullException.ThrowIfNull(logs);
        ArgumentNullException.ThrowIfNull(target);
        RequireFloating("NegativeLogLikelihood", logs);
        int axis = logs.Shape.Rank == 1 ? 0 : 1;
        if (logs.Shape.Rank == 0 || target.Shape != logs.Shape.Without(axis)) throw new ArgumentException($"NegativeLogLikelihood: labels of shape {target.Shape} don't fit log-probabilities {logs.Shape}");
        Tensor counts = Counted(logs, target, ignored, axis);
        Tensor labels = Unrecorded(() => Where(Equal(target, ignored), 0, target));
        Tensor chosen = Squeeze(TakeAlongAxis(logs, Unsqueeze(labels, axis), axis), axis);
        // What is ignored is left out, not multiplied by 0: it may be infinite.
        Tensor losses = Where(NotEqual(counts, 0), Negate(chosen), 0);
        Tensor weights = counts;
        if (weight is not null)
        {
            weights = Multiply(counts, WeightsOf(weight, target, logs, ignored));
            losses = Multiply(losses, weights);
        }

        return reduction == LossReduction.Mean ? Divide(Sum(losses), Sum(weights)) : ReducedLoss(losses, reduction);
    }

    /// <summary>
    /// −w (p t ln σ(x) + (1 − t) ln(1 − σ(x))), element by element, without overflow: x are logits, t the targets in [0, 1], and w (weights of elements) and p (those of positives) broadcast, or are null.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes or types differ.</exception>
    public static Tensor BinaryCrossEntropyWithLogits(Tensor x, Tensor target, LossReduction reduction = LossReduction.Mean, Tensor? weight = null, Tensor? positiveWeight = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(target);
        RequireSameType("BinaryCrossEntropyWithLogits", x, target, weight, positiveWeight);
        if (x.Shape != target.Shape) throw new ArgumentException($"BinaryCrossEntropyWithLogits: shapes {x.Shape} and {target.Shape} differ");
        Tensor negative = Multiply(Subtract(1, target), x);
        Tensor log = Negate(LogSigmoid(x));
        if (positiveWeight is not null) log = Multiply(log, Add(Multiply(Subtract(positiveWeight, 1), target), 1));
        Tensor losses = Add(negative, log);
        return ReducedLoss(weight is null ? losses : Multiply(losses, weight), reduction);
    }

    /// <summary>1 for a row that counts, else 0, in the logs' type.</summary>
    private static Tensor Counted(Tensor logs, Tensor target, int ignored, int axis)
    {
        if (target.DType is not (DType.Int32 or DType.Int64)) throw new ArgumentException($"labels are {target.DType}; Int32 or Int64 is needed");
        if (target.Shape != logs.Shape.Without(axis)) throw new ArgumentException($"CrossEntropy: labels of shape {target.Shape} don't fit logits {logs.Shape}");
        return Cast(NotEqual(target, ignored), logs.DType);
    }

    private static Tensor WeightsOf(Tensor weight, Tensor target, Tensor logs, int ignored)
    {
        if (weight.Shape.Rank != 1) throw new ArgumentException($"weights of classes have shape {weight.Shape}; one axis is needed");
        Tensor labels = Unrecorded(() => Where(Equal(target, ignored), 0, target));
        return Reshape(Cast(IndexSelect(weight, 0, Reshape(labels, labels.Count)), logs.DType), target.Shape.Extents);
    }

    private static Tensor AlongClasses(Tensor weight, Shape shape, int axis)
    {
        int[] extents = new int[shape.Rank];
        Array.Fill(extents, 1);
        extents[axis] = shape[axis];
        return Reshape(weight, extents);
    }
}
