using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Joining along new axes, taking apart, repeating and turning.</content>
public static partial class Ops
{
    /// <summary>Tensors of one shape side by side along a new axis.</summary>
    /// <exception cref="ArgumentException">There is no input, or shapes or types differ.</exception>
    public static Tensor Stack(int axis, params ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.IsEmpty) throw new ArgumentException("Stack: there is nothing to join");
        var parts = new Tensor[inputs.Length];
        int place = axis < 0 ? axis + inputs[0].Shape.Rank + 1 : axis;
        for (int i = 0; i < parts.Length; i++)
        {
            if (inputs[i].Shape != inputs[0].Shape) throw new ArgumentException($"Stack: shapes {inputs[0].Shape} and {inputs[i].Shape} differ");
            parts[i] = Unsqueeze(inputs[i], place);
        }

        return Concat(place, parts);
    }

    /// <summary>Parts of <paramref name="size"/> positions of an axis, the last perhaps smaller: views.</summary>
    public static Tensor[] Split(Tensor x, int size, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        axis = x.Shape.Axis(axis);
        int length = x.Shape[axis];
        ArgumentOutOfRangeException.ThrowIfLessThan(size, length == 0 ? 0 : 1);
        var parts = new Tensor[length == 0 ? 1 : (length + size - 1) / size];
        for (int i = 0; i < parts.Length; i++) parts[i] = Slice(x, axis, i * size, Math.Min(size, length - (i * size)));
        return parts;
    }

    /// <summary>Parts of the given numbers of positions of an axis: views.</summary>
    /// <exception cref="ArgumentException">They don't add up to the axis.</exception>
    public static Tensor[] Split(Tensor x, ReadOnlySpan<int> sizes, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        axis = x.Shape.Axis(axis);
        var parts = new Tensor[sizes.Length];
        int start = 0;
        for (int i = 0; i < parts.Length; start += sizes[i++]) parts[i] = Slice(x, axis, start, sizes[i]);
        return start == x.Shape[axis] ? parts : throw new ArgumentException($"Split: sizes add up to {start}; axis {axis} of shape {x.Shape} was expected");
    }

    /// <summary>At most <paramref name="count"/> parts of an axis, of equal size but for the last: views.</summary>
    public static Tensor[] Chunk(Tensor x, int count, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        axis = x.Shape.Axis(axis);
        int length = x.Shape[axis];
        if (length > 0) return Split(x, (length + count - 1) / count, axis);
        var parts = new Tensor[count];
        for (int i = 0; i < count; i++) parts[i] = Slice(x, axis, 0, 0);
        return parts;
    }

    /// <summary>Every position of an axis by itself, without the axis: views.</summary>
    public static Tensor[] Unbind(Tensor x, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        axis = x.Shape.Axis(axis);
        var parts = new Tensor[x.Shape[axis]];
        for (int i = 0; i < parts.Length; i++) parts[i] = Select(x, axis, i);
        return parts;
    }

    /// <summary>The tensor so many times along each axis; fewer numbers than axes are those of the last axes, and more add axes before (NumPy's <c>tile</c>).</summary>
    public static Tensor Tile(Tensor x, params ReadOnlySpan<int> times)
    {
        ArgumentNullException.ThrowIfNull(x);
        int rank = Math.Max(times.Length, x.Shape.Rank);
        Span<int> extents = stackalloc int[rank];
        extents.Fill(1);
        x.Shape.Extents.CopyTo(extents[(rank - x.Shape.Rank)..]);
        Tensor y = Reshape(x, extents);
        for (int axis = 0; axis < rank; axis++)
        {
            int count = axis < rank - times.Length ? 1 : times[axis - (rank - times.Length)];
            ArgumentOutOfRangeException.ThrowIfNegative(count, nameof(times));
            if (count == 0) y = Slice(y, axis, 0, 0);
            else if (count > 1 && y.Shape[axis] == 1) y = Contiguous(BroadcastTo(y, y.Shape.With(axis, count)));
            else if (count > 1) y = IndexSelect(y, axis, Indices(y.Shape[axis] * count, i => i % y.Shape[axis]));
        }

        return ReferenceEquals(x, y) ? Alias(x) : y;
    }

    /// <summary>The elements along some axes in the opposite order.</summary>
    public static Tensor Flip(Tensor x, params ReadOnlySpan<int> axes)
    {
        ArgumentNullException.ThrowIfNull(x);
        Tensor y = x;
        foreach (int axis in axes)
        {
            if (x.Shape.Rank == 0) break;
            int length = x.Shape[x.Shape.Axis(axis)];
            y = IndexSelect(y, axis, Indices(length, i => length - 1 - i));
        }

        return ReferenceEquals(x, y) ? Alias(x) : y;
    }

    /// <summary>The elements along an axis moved on by some positions; those beyond the end come first.</summary>
    public static Tensor Roll(Tensor x, int shift, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank == 0) return Alias(x);
        int length = x.Shape[x.Shape.Axis(axis)];
        return length == 0 ? Alias(x) : IndexSelect(x, axis, Indices(length, i => (((i - shift) % length) + length) % length));
    }

    /// <summary>All elements in order moved on by some positions; those beyond the end come first.</summary>
    public static Tensor Roll(Tensor x, int shift)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Reshape(Roll(Reshape(x, x.Count), shift, 0), x.Shape.Extents);
    }

    /// <summary>
    /// Each of the vectors (or scalars) spread along an axis of its own; with <paramref name="xy"/> the first two axes are exchanged (NumPy's and PyTorch's <c>indexing</c>): views.
    /// </summary>
    public static Tensor[] MeshGrid(ReadOnlySpan<Tensor> vectors, bool xy = false)
    {
        int[] extents = new int[vectors.Length];
        for (int i = 0; i < extents.Length; i++)
        {
            if (vectors[i].Shape.Rank > 1) throw new ArgumentException($"MeshGrid: a tensor of shape {vectors[i].Shape} was given; vectors are needed");
            extents[i] = vectors[i].Count;
        }

        bool swap = xy && vectors.Length > 1;
        if (swap) (extents[0], extents[1]) = (extents[1], extents[0]);
        var grids = new Tensor[vectors.Length];
        for (int i = 0; i < grids.Length; i++)
        {
            int[] own = new int[extents.Length];
            Array.Fill(own, 1);
            own[swap && i < 2 ? 1 - i : i] = vectors[i].Count;
            grids[i] = BroadcastTo(Reshape(vectors[i], own), new Shape(extents));
        }

        return grids;
    }

    /// <summary>Int64 positions from a formula.</summary>
    private static Tensor Indices(int count, Func<int, int> of)
    {
        Tensor index = Tensor.Empty([count], DType.Int64);
        Span<long> values = index.AsSpan<long>();
        for (int i = 0; i < count; i++) values[i] = of(i);
        return index;
    }
}
