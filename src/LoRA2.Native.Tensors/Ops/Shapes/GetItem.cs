using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Indexing as NumPy has it.</content>
public static partial class Ops
{
    /// <summary>
    /// The part of x that some indices name, as NumPy has it; what <c>x[…]</c> is. Positions, ranges and new axes give a view. Tensors of positions broadcast against each other and pick
    /// elements, whose gradients add up; their axes come where the tensors stood, or first when other axes stand between them.
    /// </summary>
    /// <exception cref="ArgumentException">There are more indices than axes, two ellipses, or a mask of another shape than its axes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A position is not there.</exception>
    public static Tensor Index(Tensor x, params ReadOnlySpan<TensorIndex> indices)
    {
        ArgumentNullException.ThrowIfNull(x);
        List<Tensor?> picks = [];
        Tensor y = x;
        int axis = 0;
        int named = 0;
        foreach (TensorIndex index in indices) named += index.Kind switch { TensorIndexKind.NewAxis or TensorIndexKind.Ellipsis => 0, TensorIndexKind.Tensor when index.Tensor!.DType == DType.Bool => index.Tensor.Shape.Rank, _ => 1 };
        if (named > x.Shape.Rank) throw new ArgumentException($"Index: {named} indices were given for shape {x.Shape}");
        bool ellipsis = false;
        foreach (TensorIndex index in indices)
        {
            switch (index.Kind)
            {
                case TensorIndexKind.Position:
                    int extent = y.Shape[axis];
                    int position = index.Start.GetOffset(extent);
                    if (position < 0 || position >= extent) throw new ArgumentOutOfRangeException(nameof(indices), $"Index: position {index.Start} is outside an axis of {extent}");
                    y = Select(y, axis, position);
                    break;
                case TensorIndexKind.Range:
                    (int start, int length) = index.On(y.Shape[axis]);
                    if (length != y.Shape[axis]) y = Slice(y, axis, start, length, index.Step);
                    picks.Add(null);
                    axis++;
                    break;
                case TensorIndexKind.NewAxis:
                    y = Unsqueeze(y, axis++);
                    picks.Add(null);
                    break;
                case TensorIndexKind.Ellipsis:
                    if (ellipsis) throw new ArgumentException("Index: there are two ellipses");
                    ellipsis = true;
                    for (int skipped = x.Shape.Rank - named; skipped > 0; skipped--, axis++) picks.Add(null);
                    break;
                default:
                    foreach (Tensor pick in PositionsOf(index.Tensor!, y.Shape, axis))
                    {
                        picks.Add(pick);
                        axis++;
                    }

                    break;
            }
        }

        if (picks.TrueForAll(pick => pick is null)) return ReferenceEquals(x, y) ? Alias(x) : y;
        while (picks.Count < y.Shape.Rank) picks.Add(null);
        return Picked(y, picks);
    }

    /// <summary>A tensor of positions as it is; a mask as the positions of what is true, one tensor for each of its axes.</summary>
    private static Tensor[] PositionsOf(Tensor index, Shape shape, int axis)
    {
        if (index.DType != DType.Bool) return [index];
        for (int i = 0; i < index.Shape.Rank; i++)
        {
            if (index.Shape[i] != shape[axis + i]) throw new ArgumentException($"Index: a mask of shape {index.Shape} does not fit shape {shape} from axis {axis}");
        }

        Tensor places = NonZero(index);
        return [.. Enumerable.Range(0, index.Shape.Rank).Select(i => Contiguous(Select(places, 1, i)))];
    }

    private static Tensor Picked(Tensor x, List<Tensor?> picks)
    {
        Shape shape = [];
        foreach (Tensor? pick in picks)
        {
            if (pick is not null) shape = Shape.Broadcast(shape, pick.Shape, "Index");
        }

        int[] axes = [.. Enumerable.Range(0, picks.Count).Where(i => picks[i] is not null)];
        int[] others = [.. Enumerable.Range(0, picks.Count).Where(i => picks[i] is null)];
        int rows = 1;
        foreach (int axis in axes) rows *= x.Shape[axis];
        Tensor place = Tensor.Zeros(shape, DType.Int64);
        foreach (int axis in axes)
        {
            Tensor positions = Positions("Index", picks[axis]!, x.Shape[axis]);
            place = Add(Multiply(place, Tensor.Full([], x.Shape[axis], DType.Int64)), positions);
        }

        int[] rest = [.. others.Select(axis => x.Shape[axis])];
        Tensor table = Reshape(Permute(x, [.. axes, .. others]), [rows, .. rest]);
        Tensor y = Reshape(IndexSelect(table, 0, Reshape(place, place.Count)), [.. shape.Extents, .. rest]);
        bool together = axes[^1] - axes[0] == axes.Length - 1;
        if (!together || axes[0] == 0) return y;
        return MoveAxes(y, [.. Enumerable.Range(0, shape.Rank)], [.. Enumerable.Range(axes[0], shape.Rank)]);
    }
}
