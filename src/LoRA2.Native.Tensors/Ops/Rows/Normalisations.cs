using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Normalisations, with their options.</content>
public static partial class Ops
{
    /// <summary>
    /// (x − mean) / √(variance + ε) · gain + bias over the last axes, as many as <paramref name="shape"/> has (arXiv 1607.06450); gain and bias are of that shape, or null.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes don't fit.</exception>
    public static Tensor LayerNorm(Tensor x, Shape shape, Tensor? gain = null, Tensor? bias = null, double epsilon = 1e-5)
    {
        ArgumentNullException.ThrowIfNull(x);
        int axes = shape.Rank;
        if (axes > x.Shape.Rank || !x.Shape.Extents[^axes..].SequenceEqual(shape.Extents)) throw new ArgumentException($"LayerNorm: the last axes of {x.Shape} are not {shape}");
        if (gain is not null && gain.Shape != shape || bias is not null && bias.Shape != shape) throw new ArgumentException($"LayerNorm: gain {gain?.Shape} and bias {bias?.Shape} must be of shape {shape}");
        Tensor rows = Reshape(x, shape.Elements == 0 ? 0 : x.Count / shape.Elements, shape.Elements);
        gain = gain is null ? Tensor.Full([shape.Elements], 1, x.DType, x.Device) : Reshape(gain, shape.Elements);
        bias = bias is null ? Tensor.Zeros([shape.Elements], x.DType, x.Device) : Reshape(bias, shape.Elements);
        return Reshape(LayerNorm(rows, gain, bias, epsilon), x.Shape.Extents);
    }

    /// <summary>x / √(mean of x² over the last axis + ε) · gain, of x's width, or null (arXiv 1910.07467).</summary>
    public static Tensor RmsNorm(Tensor x, Tensor? gain = null, double epsilon = 1e-6)
    {
        Tensor y = Multiply(x, Rsqrt(Add(Mean(Square(x), [-1], keepDims: true), epsilon)));
        return gain is null ? y : Multiply(y, gain);
    }

    /// <summary>
    /// Normalises each of <paramref name="groups"/> groups of channels of each row by its own mean and variance (arXiv 1803.08494): x is [rows, channels, …], gain and bias [channels] or null.
    /// </summary>
    /// <exception cref="ArgumentException">The channels can't be split so.</exception>
    public static Tensor GroupNorm(Tensor x, int groups, Tensor? gain = null, Tensor? bias = null, double epsilon = 1e-5)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank < 2 || groups < 1 || x.Shape[1] % groups != 0) throw new ArgumentException($"GroupNorm: channels of {x.Shape} can't be split into {groups} groups");
        int channels = x.Shape[1];
        Tensor parts = Reshape(x, x.Shape[0], groups, x.Shape[0] * groups == 0 ? 0 : x.Count / (x.Shape[0] * groups));
        Tensor y = Reshape(Normalised(parts, Mean(parts, [2], keepDims: true), Variance(parts, [2], 0, keepDims: true), epsilon), x.Shape.Extents);
        return Affine(y, gain, bias, channels);
    }

    /// <summary>
    /// Normalises each channel over rows and positions (arXiv 1502.03167): x is [rows, channels, …]. While <paramref name="training"/>, or without running statistics, by mean and variance of x itself, and the
    /// running ones, if given, move to (1 − momentum) · old + momentum · new, in place; the running variance takes the unbiased one. Else by the running ones.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes don't fit.</exception>
    public static Tensor BatchNorm(
        Tensor x, Tensor? runningMean, Tensor? runningVariance, Tensor? gain = null, Tensor? bias = null, bool training = false, double momentum = 0.1, double epsilon = 1e-5)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank < 2) throw new ArgumentException($"BatchNorm: shape {x.Shape} has no channels");
        int channels = x.Shape[1];
        int[] axes = [0, .. Enumerable.Range(2, x.Shape.Rank - 2)];
        int[] alongChannels = [1, channels, .. Enumerable.Repeat(1, x.Shape.Rank - 2)];
        if (!training && runningMean is not null && runningVariance is not null)
            return Affine(Normalised(x, Reshape(runningMean, alongChannels), Reshape(runningVariance, alongChannels), epsilon), gain, bias, channels);
        Tensor mean = Mean(x, axes, keepDims: true);
        Tensor variance = Variance(x, axes, 0, keepDims: true);
        int count = x.Count / Math.Max(channels, 1);
        if (training && runningMean is not null) Move(runningMean, mean, 1);
        if (training && runningVariance is not null) Move(runningVariance, variance, (double)count / (count - 1));
        return Affine(Normalised(x, mean, variance, epsilon), gain, bias, channels);

        void Move(Tensor running, Tensor now, double factor) => running.CopyFrom(Unrecorded(() =>
            Add(Scale(running, 1 - momentum), Scale(Reshape(now, channels), momentum * factor))));
    }

    private static Tensor Normalised(Tensor x, Tensor mean, Tensor variance, double epsilon) => Multiply(Subtract(x, mean), Rsqrt(Add(variance, epsilon)));

    /// <summary>gain · x + bias along axis 1.</summary>
    private static Tensor Affine(Tensor x, Tensor? gain, Tensor? bias, int channels)
    {
        int[] extents = [channels, .. Enumerable.Repeat(1, x.Shape.Rank - 2)];
        if (gain is not null) x = Multiply(x, Reshape(gain, extents));
        return bias is null ? x : Add(x, Reshape(bias, extents));
    }
}
