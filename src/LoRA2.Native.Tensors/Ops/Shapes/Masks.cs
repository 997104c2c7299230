using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Where masks are true; codes of classes.</content>
public static partial class Ops
{
    /// <summary>The elements where the mask is true, in order, as one axis; shapes broadcast.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor MaskedSelect(Tensor x, Tensor mask)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(mask);
        Shape shape = Shape.Broadcast(x.Shape, mask.Shape, "MaskedSelect");
        Tensor places = Places(BroadcastTo(mask, shape));
        return IndexSelect(Reshape(BroadcastTo(x, shape), shape.Elements), 0, places);
    }

    /// <summary>The indices of the elements that are not 0, in order: [count, rank] of Int64.</summary>
    public static Tensor NonZero(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        ReadOnlySpan<long> places = Places(x).AsSpan<long>();
        Tensor y = Tensor.Empty([places.Length, x.Shape.Rank], DType.Int64);
        Span<long> indices = y.AsSpan<long>();
        for (int i = 0; i < places.Length; i++)
        {
            long rest = places[i];
            for (int axis = x.Shape.Rank - 1; axis >= 0; axis--)
            {
                (rest, indices[(i * x.Shape.Rank) + axis]) = Math.DivRem(rest, x.Shape[axis]);
            }
        }

        return y;
    }

    /// <summary>1 at the place that each class names along a new last axis, else 0: of Int64. −1 classes are as many as the largest has need of.</summary>
    /// <exception cref="ArgumentException">A class is negative or not below <paramref name="classes"/>.</exception>
    public static Tensor OneHot(Tensor labels, int classes = -1)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.DType is not (DType.Int32 or DType.Int64)) throw new ArgumentException($"OneHot: labels are {labels.DType}; Int32 or Int64 is needed");
        labels = labels.To(DType.Int64);
        if (classes == -1) classes = labels.Count == 0 ? throw new ArgumentException("OneHot: without labels the number of classes has to be given") : (int)Max(labels).Item() + 1;
        if (labels.Count > 0 && Min(labels).Item() < 0) throw new ArgumentException($"OneHot: class {Min(labels).Item()} is negative");
        labels = Unsqueeze(Positions("OneHot", labels, classes), -1);
        Shape shape = labels.Shape.With(labels.Shape.Rank - 1, classes);
        return Scatter(Tensor.Zeros(shape, DType.Int64), -1, labels, 1);
    }

    /// <summary>The places of what is not 0, counted through all axes in order: [count] of Int64.</summary>
    private static Tensor Places(Tensor x)
    {
        ReadOnlySpan<bool> truths = Cast(x, DType.Bool).To(Devices.Device.Cpu).To(DType.Bool).AsSpan<bool>();
        int count = 0;
        foreach (bool truth in truths) count += truth ? 1 : 0;
        Tensor places = Tensor.Empty([count], DType.Int64);
        Span<long> values = places.AsSpan<long>();
        count = 0;
        for (int i = 0; i < truths.Length; i++)
        {
            if (truths[i]) values[count++] = i;
        }

        return places;
    }
}
