using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Views of some of the elements, and the placing that is their gradient.</content>
public static partial class Ops
{
    private enum ViewKind
    {
        /// <summary>Length positions of an axis from Start, Step apart.</summary>
        Slice,

        /// <summary>A diagonal of the axes Axis and Other, as the last axis: Start above the main one, Length long.</summary>
        Diagonal,

        /// <summary>Windows of Length positions of an axis, Step apart, as a new last axis; the axis counts the windows.</summary>
        Windows,
    }

    /// <summary>Every <paramref name="step"/>th of the positions of one axis from <paramref name="start"/>, <paramref name="length"/> in all: a view.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within the axis, or the step not positive.</exception>
    public static Tensor Slice(Tensor x, int axis, int start, int length, int step)
    {
        ArgumentNullException.ThrowIfNull(x);
        axis = x.Shape.Axis(axis);
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        if (start < 0 || length < 0 || start > x.Shape[axis] || (length > 0 && start + ((long)(length - 1) * step) >= x.Shape[axis]))
            throw new ArgumentOutOfRangeException(nameof(start), $"Slice: {length} positions from {start}, {step} apart, are not within axis {axis} of shape {x.Shape}");
        return ViewOf(x, new ViewSpec(ViewKind.Slice, axis, 0, start, length, step));
    }

    /// <summary>
    /// A diagonal of two axes as a view: they disappear, and its positions are the last axis. <paramref name="offset"/> above 0 lies above the main diagonal, below 0 below it.
    /// </summary>
    public static Tensor Diagonal(Tensor x, int offset = 0, int axis1 = 0, int axis2 = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        (int a, int b) = (x.Shape.Axis(axis1), x.Shape.Axis(axis2));
        if (a == b) throw new ArgumentException($"Diagonal: axis {a} of shape {x.Shape} was given twice");
        int length = Math.Max(0, offset >= 0 ? Math.Min(x.Shape[a], x.Shape[b] - offset) : Math.Min(x.Shape[a] + offset, x.Shape[b]));
        return ViewOf(x, new ViewSpec(ViewKind.Diagonal, a, b, offset, length, 1));
    }

    /// <summary>
    /// The windows of <paramref name="size"/> positions along an axis, <paramref name="step"/> apart: a view whose axis counts the windows and whose new last axis has
    /// their positions. Windows that overlap add up in the gradient (PyTorch's <c>Tensor.unfold</c>).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is not within the axis, or the step not positive.</exception>
    public static Tensor Windows(Tensor x, int axis, int size, int step)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank == 0) return Slice(Reshape(x, 1), 0, 0, size);
        axis = x.Shape.Axis(axis);
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        if (size > x.Shape[axis]) throw new ArgumentOutOfRangeException(nameof(size), size, $"Windows: axis {axis} of shape {x.Shape} is shorter");
        return ViewOf(x, new ViewSpec(ViewKind.Windows, axis, 0, 0, size, step));
    }

    private static Tensor ViewOf(Tensor x, in ViewSpec view)
    {
        Tensor y = view.Apply(x);
        return Tape.Records(x) ? Tape.Record(ViewNode.Of(x, view), y) : y;
    }

    /// <summary>Zeros of a shape with a tensor added where the view of that shape shows.</summary>
    private static Tensor Placed(Tensor x, Shape shape, in ViewSpec view)
    {
        x = Contiguous(x);
        Tensor y = Tensor.Zeros(shape, x.DType, x.Device);
        if (view.Kind == ViewKind.Windows && view.Step < view.Length)
        {
            // Windows overlap: their first positions don't, nor do their second.
            for (int i = 0; i < view.Length; i++)
            {
                Tensor part = new ViewSpec(ViewKind.Slice, x.Shape.Rank - 1, 0, i, 1, 1).Apply(x);
                part = part.View(part.Shape.Without(x.Shape.Rank - 1), part.Strides[..^1]);
                y.Device.Kernels.AccumulateInto(part.To(part.DType), new ViewSpec(ViewKind.Slice, view.Axis, 0, i, x.Shape[view.Axis], view.Step).Apply(y));
            }
        }
        else y.Device.Kernels.AccumulateInto(x, view.Apply(y));

        return Tape.Records(x) ? Tape.Record(PlacedNode.Of(x, view), y) : y;
    }

    private readonly record struct ViewSpec(ViewKind Kind, int Axis, int Other, int Start, int Length, int Step)
    {
        public Tensor Apply(Tensor x)
        {
            int rank = x.Shape.Rank;
            Span<int> extents = stackalloc int[rank + 1];
            Span<int> strides = stackalloc int[rank + 1];
            x.Shape.Extents.CopyTo(extents);
            x.Strides.CopyTo(strides);
            switch (Kind)
            {
                case ViewKind.Slice:
                    int offset = Length == 0 ? 0 : Start * strides[Axis];
                    extents[Axis] = Length;
                    strides[Axis] *= Step;
                    return x.View(new Shape(extents[..rank]), strides[..rank], offset);
                case ViewKind.Windows:
                    extents[rank] = Length;
                    strides[rank] = strides[Axis];
                    extents[Axis] = ((extents[Axis] - Length) / Step) + 1;
                    strides[Axis] *= Step;
                    return x.View(new Shape(extents), strides);
                default:
                    int along = strides[Axis] + strides[Other];
                    int first = Length == 0 ? 0 : Start >= 0 ? Start * strides[Other] : -Start * strides[Axis];
                    int kept = 0;
                    for (int i = 0; i < rank; i++)
                    {
                        if (i == Axis || i == Other) continue;
                        extents[kept] = x.Shape[i];
                        strides[kept++] = x.Strides[i];
                    }

                    extents[kept] = Length;
                    strides[kept] = along;
                    return x.View(new Shape(extents[..(rank - 1)]), strides[..(rank - 1)], first);
            }
        }
    }

    private sealed class ViewNode : OpNode
    {
        private Tensor x = null!;
        private ViewSpec view;

        public static ViewNode Of(Tensor x, in ViewSpec view)
        {
            ViewNode node = Take<ViewNode>();
            (node.x, node.view) = (x, view);
            return node;
        }

        public override string Name => view.Kind.ToString();

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Placed(gradient, x.Shape, view));
    }

    private sealed class PlacedNode : OpNode
    {
        private Tensor x = null!;
        private ViewSpec view;

        public static PlacedNode Of(Tensor x, in ViewSpec view)
        {
            PlacedNode node = Take<PlacedNode>();
            (node.x, node.view) = (x, view);
            return node;
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Contiguous(ViewOf(gradient, view)));
    }
}
