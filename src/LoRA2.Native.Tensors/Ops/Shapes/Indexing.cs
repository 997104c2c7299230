using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Picking by indices, and its inverse.</content>
public static partial class Ops
{
    /// <summary>
    /// Positions of one axis, in any order and with repeats: index is [n] of Int32 or Int64, or a scalar; −1 is the last. The gradient adds up in the order of the index.
    /// </summary>
    /// <exception cref="ArgumentException">The index is not of integers and at most one axis, or a position is not there.</exception>
    public static Tensor IndexSelect(Tensor x, int axis, Tensor index)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(index);
        if (index.Shape.Rank > 1) throw new ArgumentException($"IndexSelect: an index of shape {index.Shape} was given; it must have one axis");
        if (x.Shape.Rank == 0)
        {
            Tensor picked = IndexSelect(Reshape(x, 1), 0, index);
            return index.Count == 1 ? Reshape(picked) : picked;
        }

        axis = x.Shape.Axis(axis);
        return TakeOf(x, Reshape(Positions("IndexSelect", index, x.Shape[axis]), index.Count), axis, x.Shape.With(axis, index.Count));
    }

    /// <summary>
    /// y[…, i, …] = x[…, index[…, i, …], …] along an axis; the index (Int32 or Int64) has x's rank, and elsewhere at most x's extents (PyTorch's <c>gather</c>; with equal extents NumPy's
    /// <c>take_along_axis</c>). The gradient adds up.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes don't fit, or a position is not there.</exception>
    public static Tensor TakeAlongAxis(Tensor x, Tensor index, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(index);
        if (x.Shape.Rank == 0) return Reshape(TakeAlongAxis(Reshape(x, 1), Reshape(index, index.Count), 0), index.Shape.Extents);
        axis = x.Shape.Axis(axis);
        if (index.Shape.Rank == 0 && x.Shape.Rank == 1) return Reshape(TakeAlongAxis(x, Reshape(index, 1), 0));
        x = Fitted("TakeAlongAxis", x, index.Shape, axis);
        return TakeOf(x, Positions("TakeAlongAxis", index, x.Shape[axis]), axis, index.Shape);
    }

    /// <summary>A copy of x with y[…, index[…, i, …], …] = source[…, i, …] along an axis; where an index is repeated the last counts, and the gradient of the others is not defined.</summary>
    /// <exception cref="ArgumentException">The shapes don't fit, or a position is not there.</exception>
    public static Tensor Scatter(Tensor x, int axis, Tensor index, Tensor source)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(source);
        return ScatterOf(IndexAccess.Put, x, axis, index, source);
    }

    /// <inheritdoc cref="Scatter(Tensor, int, Tensor, Tensor)"/>
    public static Tensor Scatter(Tensor x, int axis, Tensor index, double value)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(index);
        return ScatterOf(IndexAccess.Put, x, axis, index, Tensor.Full(index.Shape, value, x.DType, x.Device));
    }

    /// <summary>A copy of x with source added at the index along an axis, as <see cref="Scatter(Tensor, int, Tensor, Tensor)"/> puts it; repeated indices add up in their order.</summary>
    /// <exception cref="ArgumentException">The shapes don't fit, or a position is not there.</exception>
    public static Tensor ScatterAdd(Tensor x, int axis, Tensor index, Tensor source)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(source);
        return ScatterOf(IndexAccess.Add, x, axis, index, source);
    }

    /// <summary>A copy of x with <paramref name="scale"/> · source[…, i, …] added at position index[i] of an axis; the index is [n] of Int32 or Int64.</summary>
    /// <exception cref="ArgumentException">The shapes don't fit, or a position is not there.</exception>
    public static Tensor IndexAdd(Tensor x, int axis, Tensor index, Tensor source, double scale = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(source);
        if (scale != 1) source = Multiply(source, scale);
        if (x.Shape.Rank == 0) return Reshape(IndexAdd(Reshape(x, 1), 0, index, Reshape(source, index.Count)));
        axis = x.Shape.Axis(axis);
        if (source.Shape.Rank == 0) source = Reshape(source, 1);
        if (index.Shape.Rank > 1 || source.Shape != x.Shape.With(axis, index.Count)) throw new ArgumentException($"IndexAdd: index {index.Shape} and source {source.Shape} don't fit axis {axis} of shape {x.Shape}");
        return Put(IndexAccess.Add, x, axis, Reshape(Positions("IndexAdd", index, x.Shape[axis]), index.Count), Cast(source, x.DType));
    }

    private static Tensor ScatterOf(IndexAccess access, Tensor x, int axis, Tensor index, Tensor source)
    {
        if (x.Shape.Rank == 0) return Reshape(ScatterOf(access, Reshape(x, 1), 0, Reshape(index, index.Count), Reshape(source, source.Count)));
        axis = x.Shape.Axis(axis);
        string op = access == IndexAccess.Add ? "ScatterAdd" : "Scatter";
        if (index.Shape.Rank == 0) index = Reshape(index, 1);
        if (source.Shape.Rank == 0) source = Reshape(source, 1);
        index = Positions(op, index, x.Shape[axis]);
        source = Narrowed(op, Cast(source, x.DType), index.Shape);
        if (index.Count == 0) return Tape.Records(x) ? Alias(x) : x.Clone();
        Shape within = Within(x.Shape, index.Shape, axis);
        if (within == x.Shape) return Put(access, x, axis, index, source);

        // Indices that leave out the ends of other axes change a part only.
        Tensor part = Put(access, Narrowed(op, x, within), axis, index, source);
        return Replaced(x, part);
    }

    /// <summary>x with its first positions along every axis replaced.</summary>
    private static Tensor Replaced(Tensor x, Tensor part)
    {
        for (int axis = x.Shape.Rank - 1; axis >= 0; axis--)
        {
            if (part.Shape[axis] == x.Shape[axis]) continue;
            Tensor rest = Slice(x, axis, part.Shape[axis], x.Shape[axis] - part.Shape[axis]);
            for (int other = 0; other < axis; other++) rest = Slice(rest, other, 0, part.Shape[other]);
            part = Concat(axis, part, rest);
        }

        return part;
    }

    private static Shape Within(Shape x, Shape index, int axis) => index.With(axis, x[axis]);

    private static Tensor Fitted(string op, Tensor x, Shape index, int axis)
    {
        if (index.Rank != x.Shape.Rank) throw new ArgumentException($"{op}: an index of shape {index} does not fit shape {x.Shape}");
        return index.Elements == 0 ? x : Narrowed(op, x, Within(x.Shape, index, axis));
    }

    /// <summary>The first positions along every axis.</summary>
    private static Tensor Narrowed(string op, Tensor x, Shape shape)
    {
        if (shape.Rank != x.Shape.Rank) throw new ArgumentException($"{op}: shapes {x.Shape} and {shape} don't fit");
        for (int axis = 0; axis < shape.Rank; axis++)
        {
            if (shape[axis] > x.Shape[axis]) throw new ArgumentException($"{op}: shape {shape} is larger than {x.Shape}");
            if (shape[axis] < x.Shape[axis]) x = Slice(x, axis, 0, shape[axis]);
        }

        return x;
    }

    /// <summary>An index as Int64 from 0, in order, once it is known to be within the axis.</summary>
    private static Tensor Positions(string op, Tensor index, int length)
    {
        if (index.DType is not (DType.Int32 or DType.Int64)) throw new ArgumentException($"{op}: the index is {index.DType}; Int32 or Int64 is needed");
        if (index.Device != Device.Cpu) return index;
        index = index.To(DType.Int64);
        bool negative = false;
        foreach (long position in index.AsSpan<long>())
        {
            if (position < -length || position >= length) throw new ArgumentException($"{op}: index {position} is outside an axis of {length}");
            negative |= position < 0;
        }

        if (!negative) return index;
        index = index.Clone();
        foreach (ref long position in index.AsSpan<long>())
        {
            if (position < 0) position += length;
        }

        return index;
    }

    private static (int Outer, int Length, int Inner) Along(Shape shape, int axis)
    {
        int outer = 1, inner = 1;
        for (int i = 0; i < axis; i++) outer *= shape[i];
        for (int i = axis + 1; i < shape.Rank; i++) inner *= shape[i];
        return (outer, shape[axis], inner);
    }

    private static Tensor TakeOf(Tensor x, Tensor index, int axis, Shape shape)
    {
        x = Contiguous(x);
        Tensor y = Tensor.Empty(shape, x.DType, x.Device);
        (int outer, int length, int inner) = Along(x.Shape, axis);
        if (y.Count > 0) x.Device.Kernels.Index(IndexAccess.Take, x, outer, length, inner, index, y);
        return Tape.Records(x) ? Tape.Record(TakeNode.Of(x, index, axis), y) : y;
    }

    /// <summary>A copy of x with source put or added at the index, which is of source's shape or of one axis.</summary>
    private static Tensor Put(IndexAccess access, Tensor x, int axis, Tensor index, Tensor source)
    {
        source = Contiguous(source);
        Tensor y = x.Clone();
        (int outer, int length, int inner) = Along(x.Shape, axis);
        if (source.Count > 0) x.Device.Kernels.Index(access, y, outer, length, inner, index, source);
        return Tape.Records(x, source) ? Tape.Record(PutNode.Of(access, x, index, axis, source), y) : y;
    }

    private sealed class TakeNode : OpNode
    {
        private Tensor x = null!;
        private Tensor index = null!;
        private int axis;

        public static TakeNode Of(Tensor x, Tensor index, int axis)
        {
            TakeNode node = Take<TakeNode>();
            (node.x, node.axis) = (x, axis);
            node.index = node.Save(index);
            return node;
        }

        protected internal override void Backward(Tensor gradient) =>
            Accumulate(x, Put(IndexAccess.Add, Tensor.Zeros(x.Shape, x.DType, x.Device), axis, index, gradient));
    }

    private sealed class PutNode : OpNode
    {
        private IndexAccess access;
        private Tensor x = null!;
        private Tensor index = null!;
        private Tensor source = null!;
        private int axis;

        public static PutNode Of(IndexAccess access, Tensor x, Tensor index, int axis, Tensor source)
        {
            PutNode node = Take<PutNode>();
            (node.access, node.x, node.axis, node.source) = (access, x, axis, source);
            node.index = node.Save(index);
            return node;
        }

        public override string Name => access == IndexAccess.Add ? "ScatterAdd" : "Scatter";

        protected internal override void Backward(Tensor gradient)
        {
            if (x.RequiresGrad)
                Accumulate(x, access == IndexAccess.Add ? gradient : Put(IndexAccess.Put, gradient, axis, index, Tensor.Zeros(source.Shape, source.DType, source.Device)));
            if (source.RequiresGrad) Accumulate(source, TakeOf(gradient, index, axis, source.Shape));
        }
    }
}
