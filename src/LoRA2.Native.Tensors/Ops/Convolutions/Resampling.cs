using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Images made larger or smaller.</content>
public static partial class Ops
{
    /// <summary>[.., channels · s², height, width] → [.., channels, height · s, width · s] (arXiv 1609.05158).</summary>
    /// <exception cref="ArgumentException">The channels can't be split so.</exception>
    public static Tensor PixelShuffle(Tensor x, int factor)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank < 3 || factor < 1 || x.Shape[^3] % (factor * factor) != 0) throw new ArgumentException($"PixelShuffle: channels of {x.Shape} can't be spread by {factor}");
        int[] leading = [.. x.Shape.Extents[..^3]];
        (int channels, int height, int width) = (x.Shape[^3] / (factor * factor), x.Shape[^2], x.Shape[^1]);
        int batch = leading.Aggregate(1, (product, extent) => product * extent);
        Tensor parts = Reshape(x, batch * channels, factor, factor, height, width);
        return Reshape(Permute(parts, 0, 3, 1, 4, 2), [.. leading, channels, height * factor, width * factor]);
    }

    /// <summary>The last axes resampled to the given sizes by the element nearest below: position i is ⌊i · scale⌋, scale the old size over the new, or 1 over a factor that is given.</summary>
    public static Tensor InterpolateNearest(Tensor x, ReadOnlySpan<int> sizes, ReadOnlySpan<double> factors = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        for (int i = 0; i < sizes.Length; i++)
        {
            int axis = x.Shape.Rank - sizes.Length + i;
            int length = x.Shape[axis];
            // PyTorch computes the scale in single precision.
            float scale = factors.IsEmpty ? (float)length / sizes[i] : (float)(1 / factors[i]);
            x = IndexSelect(x, axis, Indices(sizes[i], position => Math.Min((int)MathF.Floor(position * scale), length - 1)));
        }

        return x;
    }

    /// <summary>
    /// The last axes resampled to the given sizes by linear interpolation: bilinear for two axes. With <paramref name="alignCorners"/> the first and last positions coincide; else positions are centres of cells.
    /// </summary>
    public static Tensor InterpolateLinear(Tensor x, ReadOnlySpan<int> sizes, bool alignCorners = false, ReadOnlySpan<double> factors = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        for (int i = 0; i < sizes.Length; i++)
        {
            int axis = x.Shape.Rank - sizes.Length + i;
            int length = x.Shape[axis];
            double scale = alignCorners ? (sizes[i] > 1 ? (length - 1.0) / (sizes[i] - 1) : 0) : factors.IsEmpty ? (double)length / sizes[i] : 1 / factors[i];
            double At(int position) => alignCorners ? scale * position : Math.Max(0, (scale * (position + 0.5)) - 0.5);
            int Below(int position) => Math.Min((int)At(position), length - 1);
            int[] extents = new int[x.Shape.Rank - axis];
            Array.Fill(extents, 1);
            extents[0] = sizes[i];
            Tensor weight = Reshape(Tensor.From([.. Enumerable.Range(0, sizes[i]).Select(position => At(position) - Below(position))], [sizes[i]]).To(x.DType), extents);
            Tensor low = IndexSelect(x, axis, Indices(sizes[i], Below));
            Tensor high = IndexSelect(x, axis, Indices(sizes[i], position => Math.Min(Below(position) + 1, length - 1)));
            x = Add(Multiply(low, Subtract(1, weight)), Multiply(high, weight));
        }

        return x;
    }
}
