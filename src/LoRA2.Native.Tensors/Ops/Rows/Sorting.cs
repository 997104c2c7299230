using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Sorting.</content>
public static partial class Ops
{
    /// <summary>The elements along an axis in order, and where each stood (Int64). Equal ones keep their order; NaN counts as the largest.</summary>
    public static (Tensor Values, Tensor Indices) Sort(Tensor x, int axis = -1, bool descending = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank == 0) return (Alias(x), Tensor.Zeros([], DType.Int64, x.Device));
        Tensor order = ArgSort(x, axis, descending);
        return (TakeAlongAxis(x, order, axis), order);
    }

    /// <summary>Where each element stood that <see cref="Sort"/> gives: Int64.</summary>
    public static Tensor ArgSort(Tensor x, int axis = -1, bool descending = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Unrecorded(() => AlongLast(x, axis, rows =>
        {
            rows = Contiguous(rows);
            Tensor order = Tensor.Empty(rows.Shape, DType.Int64, rows.Device);
            if (rows.Count > 0) rows.Device.Kernels.Sort(rows, descending, order);
            return order;
        }));
    }

    /// <summary>The <paramref name="count"/> largest (or smallest) along an axis, in order, and where each stood (Int64).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The axis has fewer positions.</exception>
    public static (Tensor Values, Tensor Indices) TopK(Tensor x, int count, int axis = -1, bool largest = true)
    {
        ArgumentNullException.ThrowIfNull(x);
        int length = x.Shape.Rank == 0 ? 1 : x.Shape[x.Shape.Axis(axis)];
        if (count < 0 || count > length) throw new ArgumentOutOfRangeException(nameof(count), count, $"TopK: axis {axis} of shape {x.Shape} has {length} positions");
        if (x.Shape.Rank == 0) return count == 1 ? (Alias(x), Tensor.Zeros([], DType.Int64, x.Device)) : (Slice(Reshape(x, 1), 0, 0, 0), Tensor.Zeros([0], DType.Int64, x.Device));
        axis = x.Shape.Axis(axis);
        Tensor order = Contiguous(Slice(ArgSort(x, axis, descending: largest), axis, 0, count));
        return (TakeAlongAxis(x, order, axis), order);
    }
}
