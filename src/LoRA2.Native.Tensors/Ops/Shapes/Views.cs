using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors;

/// <summary>
/// The differentiable ops. Each lives in a file of its own, forward and backward next to each other, and is listed with a generator of valid
/// inputs in <see cref="OpCatalogue"/>. Results belong to the current <see cref="TensorScope"/>.
/// </summary>
public static partial class Ops
{
    /// <summary>The same elements in another shape; a view when x is contiguous. One extent may be −1.</summary>
    /// <exception cref="ArgumentException">The number of elements differs.</exception>
    public static Tensor Reshape(Tensor x, params ReadOnlySpan<int> extents)
    {
        ArgumentNullException.ThrowIfNull(x);
        Shape shape = Inferred(x.Shape, extents);
        x = Contiguous(x);
        Tensor y = x.View(shape);
        return Tape.Records(x) ? Tape.Record(ReshapeNode.Of(x), y) : y;
    }

    /// <summary>A view with the axes in another order: axis i of the result is axis order[i] of x.</summary>
    /// <exception cref="ArgumentException"><paramref name="order"/> is not a permutation of the axes.</exception>
    public static Tensor Permute(Tensor x, params ReadOnlySpan<int> order)
    {
        ArgumentNullException.ThrowIfNull(x);
        Span<int> extents = stackalloc int[x.Shape.Rank];
        Span<int> strides = stackalloc int[x.Shape.Rank];
        Span<int> inverse = stackalloc int[x.Shape.Rank];
        inverse.Fill(-1);
        if (order.Length != extents.Length) throw new ArgumentException($"Permute: {order.Length} axes were given for shape {x.Shape}");
        for (int i = 0; i < order.Length; i++)
        {
            int axis = x.Shape.Axis(order[i]);
            if (inverse[axis] >= 0) throw new ArgumentException($"Permute: axis {axis} of shape {x.Shape} was given twice");
            inverse[axis] = i;
            extents[i] = x.Shape[axis];
            strides[i] = x.Strides[axis];
        }

        Tensor y = x.View(new Shape(extents), strides);
        return Tape.Records(x) ? Tape.Record(PermuteNode.Of(x, new Shape(inverse)), y) : y;
    }

    /// <summary>A view with the last two axes exchanged.</summary>
    public static Tensor Transpose(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        int rank = x.Shape.Rank;
        if (rank < 2) throw new ArgumentException($"Transpose: shape {x.Shape} has fewer than two axes");
        Span<int> order = stackalloc int[rank];
        for (int i = 0; i < rank; i++) order[i] = i;
        (order[^1], order[^2]) = (order[^2], order[^1]);
        return Permute(x, order);
    }

    /// <summary>A view of <paramref name="length"/> positions of one axis, from <paramref name="start"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within the axis.</exception>
    public static Tensor Slice(Tensor x, int axis, int start, int length)
    {
        ArgumentNullException.ThrowIfNull(x);
        axis = x.Shape.Axis(axis);
        if (start < 0 || length < 0 || start > x.Shape[axis] - length)
            throw new ArgumentOutOfRangeException(nameof(start), $"Slice: {start} … {(long)start + length - 1} is not within axis {axis} of shape {x.Shape}");
        return ViewOf(x, new ViewSpec(ViewKind.Slice, axis, 0, start, length, 1));
    }

    /// <summary>x itself when its elements lie in order, else a copy in which they do.</summary>
    public static Tensor Contiguous(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.IsContiguous) return x;
        Tensor y = x.Clone();
        return Tape.Records(x) ? Tape.Record(ContiguousNode.Of(x), y) : y;
    }

    private static Shape Inferred(Shape from, ReadOnlySpan<int> extents)
    {
        Span<int> found = stackalloc int[extents.Length];
        extents.CopyTo(found);
        int unknown = found.IndexOf(-1);
        if (unknown >= 0)
        {
            found[unknown] = 1;
            int rest = new Shape(found).Elements;
            found[unknown] = rest == 0 ? 0 : from.Elements / rest;
        }

        var shape = new Shape(found);
        if (shape.Elements != from.Elements) throw new ArgumentException($"Reshape: shape {from} of {from.Elements} elements can't become {shape} of {shape.Elements}");
        return shape;
    }

    private sealed class ReshapeNode : OpNode
    {
        private Tensor x = null!;

        public static ReshapeNode Of(Tensor x)
        {
            ReshapeNode node = Take<ReshapeNode>();
            node.x = x;
            return node;
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Reshape(gradient, x.Shape.Extents));
    }

    private sealed class PermuteNode : OpNode
    {
        private Tensor x = null!;
        private Shape inverse;

        public static PermuteNode Of(Tensor x, Shape inverse)
        {
            PermuteNode node = Take<PermuteNode>();
            (node.x, node.inverse) = (x, inverse);
            return node;
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Permute(gradient, inverse.Extents));
    }

    private sealed class ContiguousNode : OpNode
    {
        private Tensor x = null!;

        public static ContiguousNode Of(Tensor x)
        {
            ContiguousNode node = Take<ContiguousNode>();
            node.x = x;
            return node;
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, gradient);
    }
}
