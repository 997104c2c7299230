using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Axes that come, go and move: views.</content>
public static partial class Ops
{
    /// <summary>A view with two axes exchanged.</summary>
    public static Tensor Transpose(Tensor x, int axis1, int axis2)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank == 0) return Alias(x);
        Span<int> order = stackalloc int[x.Shape.Rank];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        (int a, int b) = (x.Shape.Axis(axis1), x.Shape.Axis(axis2));
        (order[a], order[b]) = (order[b], order[a]);
        return Permute(x, order);
    }

    /// <summary>A view with one axis in another place, the others in their order.</summary>
    public static Tensor MoveAxis(Tensor x, int from, int to)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Shape.Rank == 0 ? Alias(x) : MoveAxes(x, [from], [to]);
    }

    /// <summary>A view with some axes in other places, the others in their order.</summary>
    public static Tensor MoveAxes(Tensor x, ReadOnlySpan<int> from, ReadOnlySpan<int> to)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (from.Length != to.Length) throw new ArgumentException($"MoveAxes: {from.Length} axes can't move to {to.Length} places");
        Span<int> order = stackalloc int[x.Shape.Rank];
        order.Fill(-1);
        Span<bool> moved = stackalloc bool[x.Shape.Rank];
        moved.Clear();
        for (int i = 0; i < from.Length; i++)
        {
            (int source, int place) = (x.Shape.Axis(from[i]), x.Shape.Axis(to[i]));
            if (order[place] >= 0 || moved[source]) throw new ArgumentException($"MoveAxes: an axis of shape {x.Shape} was given twice");
            order[place] = source;
            moved[source] = true;
        }

        int next = 0;
        for (int place = 0; place < order.Length; place++)
        {
            if (order[place] >= 0) continue;
            while (moved[next]) next++;
            order[place] = next++;
        }

        return Permute(x, order);
    }

    /// <summary>Without its axes of extent 1.</summary>
    public static Tensor Squeeze(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        Span<int> extents = stackalloc int[x.Shape.Rank];
        int rank = 0;
        foreach (int extent in x.Shape)
        {
            if (extent != 1) extents[rank++] = extent;
        }

        return Viewed(x, extents[..rank]);
    }

    /// <summary>Without one axis, if it has extent 1.</summary>
    public static Tensor Squeeze(Tensor x, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank == 0) return Alias(x);
        axis = x.Shape.Axis(axis);
        return x.Shape[axis] == 1 ? Viewed(x, x.Shape.Without(axis).Extents) : Alias(x);
    }

    /// <summary>With a new axis of extent 1 before axis <paramref name="axis"/> of the result.</summary>
    public static Tensor Unsqueeze(Tensor x, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        int rank = x.Shape.Rank + 1;
        int place = axis < 0 ? axis + rank : axis;
        if (place < 0 || place >= rank) throw new ArgumentOutOfRangeException(nameof(axis), axis, $"Unsqueeze: shape {x.Shape} gets {rank} axes");
        Span<int> extents = stackalloc int[rank];
        x.Shape.Extents[..place].CopyTo(extents);
        extents[place] = 1;
        x.Shape.Extents[place..].CopyTo(extents[(place + 1)..]);
        return Viewed(x, extents);
    }

    /// <summary>Some neighbouring axes made one; a scalar gets one axis.</summary>
    public static Tensor Flatten(Tensor x, int first = 0, int last = -1)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank == 0) return Viewed(x, [1]);
        (first, last) = (x.Shape.Axis(first), x.Shape.Axis(last));
        if (first > last) throw new ArgumentException($"Flatten: axis {first} comes after axis {last} of shape {x.Shape}");
        int product = 1;
        for (int i = first; i <= last; i++) product *= x.Shape[i];
        Span<int> extents = stackalloc int[x.Shape.Rank - (last - first)];
        x.Shape.Extents[..first].CopyTo(extents);
        extents[first] = product;
        x.Shape.Extents[(last + 1)..].CopyTo(extents[(first + 1)..]);
        return Reshape(x, extents);
    }

    /// <summary>The position <paramref name="index"/> of an axis, which disappears: a view. −1 is the last.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such position.</exception>
    public static Tensor Select(Tensor x, int axis, int index)
    {
        ArgumentNullException.ThrowIfNull(x);
        axis = x.Shape.Axis(axis);
        int found = index < 0 ? index + x.Shape[axis] : index;
        if (found < 0 || found >= x.Shape[axis]) throw new ArgumentOutOfRangeException(nameof(index), index, $"Select: axis {axis} of shape {x.Shape} has no such position");
        return Squeeze(Slice(x, axis, found, 1), axis);
    }

    /// <summary>Another shape whose axes lie as x's do, but for axes of extent 1: always a view.</summary>
    private static Tensor Viewed(Tensor x, ReadOnlySpan<int> extents)
    {
        if (x.IsContiguous) return Reshape(x, extents);
        Span<int> strides = stackalloc int[extents.Length];
        int from = 0;
        for (int i = 0; i < extents.Length; i++)
        {
            if (extents[i] == 1)
            {
                strides[i] = 1;
                continue;
            }

            while (x.Shape[from] == 1) from++;
            strides[i] = x.Strides[from++];
        }

        Tensor y = x.View(new Shape(extents), strides);
        return Tape.Records(x) ? Tape.Record(ReshapeNode.Of(x), y) : y;
    }
}
