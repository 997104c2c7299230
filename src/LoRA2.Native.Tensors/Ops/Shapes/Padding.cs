using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <summary>What <see cref="Ops.Pad"/> puts around a tensor.</summary>
public enum PadMode
{
    /// <summary>One value.</summary>
    Constant,

    /// <summary>The elements mirrored at the outermost one, which is not repeated.</summary>
    Reflect,

    /// <summary>The outermost element.</summary>
    Replicate,
}

/// <content>Padding.</content>
public static partial class Ops
{
    /// <summary>
    /// The tensor with elements added before and after its last axes: two numbers an axis, those of the last axis first, as PyTorch's <c>pad</c> has them. Negative ones take away.
    /// </summary>
    /// <exception cref="ArgumentException">There are too many numbers or an odd number, an axis would be too short, or a reflection is longer than the axis.</exception>
    public static Tensor Pad(Tensor x, ReadOnlySpan<int> amounts, PadMode mode = PadMode.Constant, double value = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (amounts.Length % 2 != 0 || amounts.Length / 2 > x.Shape.Rank) throw new ArgumentException($"Pad: {amounts.Length} amounts were given for shape {x.Shape}");
        Tensor y = x;
        for (int i = 0; i < amounts.Length / 2; i++)
        {
            int axis = x.Shape.Rank - 1 - i;
            (int before, int after) = (amounts[2 * i], amounts[(2 * i) + 1]);
            int length = y.Shape[axis];
            if (length + before + after < 0) throw new ArgumentException($"Pad: axis {axis} of shape {x.Shape} can't lose {-before} and {-after} positions");
            if (before == 0 && after == 0) continue;
            if (mode == PadMode.Constant)
            {
                y = Slice(y, axis, Math.Max(0, -before), length - Math.Max(0, -before) - Math.Max(0, -after));
                if (before > 0) y = Concat(axis, Tensor.Full(y.Shape.With(axis, before), value, y.DType, y.Device), y);
                if (after > 0) y = Concat(axis, y, Tensor.Full(y.Shape.With(axis, after), value, y.DType, y.Device));
                continue;
            }

            if (length == 0 || (mode == PadMode.Reflect && (before >= length || after >= length))) throw new ArgumentException($"Pad: axis {axis} of shape {x.Shape} is too short for {before} and {after} more by {mode}");
            y = IndexSelect(y, axis, Indices(length + before + after, position =>
            {
                int at = position - before;
                if (mode == PadMode.Replicate) return Math.Clamp(at, 0, length - 1);
                return at < 0 ? -at : at >= length ? (2 * (length - 1)) - at : at;
            }));
        }

        return ReferenceEquals(x, y) ? Alias(x) : y;
    }
}
