using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>What every reduction over axes needs.</content>
public static partial class Ops
{
    /// <summary>Marks the reduced axes; all when none is named. A scalar has the axes 0 and −1, which are none.</summary>
    private static void Mark(Shape shape, ReadOnlySpan<int> axes, Span<bool> reduced)
    {
        reduced.Clear();
        if (axes.IsEmpty) reduced.Fill(true);
        foreach (int axis in axes)
        {
            if (shape.Rank == 0 && axis is 0 or -1) continue;
            int found = shape.Axis(axis);
            if (reduced[found]) throw new ArgumentException($"axis {found} of shape {shape} was given twice");
            reduced[found] = true;
        }
    }

    /// <summary>The shape with extent 1 in place of the reduced axes.</summary>
    private static Shape Kept(Shape shape, ReadOnlySpan<int> axes)
    {
        Span<bool> reduced = stackalloc bool[shape.Rank];
        Mark(shape, axes, reduced);
        Span<int> extents = stackalloc int[shape.Rank];
        for (int i = 0; i < extents.Length; i++) extents[i] = reduced[i] ? 1 : shape[i];
        return new Shape(extents);
    }

    /// <summary>How many elements each result has.</summary>
    private static int Reduces(Shape shape, ReadOnlySpan<int> axes)
    {
        Span<bool> reduced = stackalloc bool[shape.Rank];
        Mark(shape, axes, reduced);
        int count = 1;
        for (int i = 0; i < shape.Rank; i++) count *= reduced[i] ? shape[i] : 1;
        return count;
    }

    /// <summary>A result with its axes of extent 1 taken out.</summary>
    private static Tensor WithoutAxes(Tensor x, ReadOnlySpan<int> axes)
    {
        Span<bool> reduced = stackalloc bool[x.Shape.Rank];
        Mark(x.Shape, axes, reduced);
        Span<int> extents = stackalloc int[x.Shape.Rank];
        int rank = 0;
        for (int i = 0; i < reduced.Length; i++)
        {
            if (!reduced[i]) extents[rank++] = x.Shape[i];
        }

        return Reshape(x, extents[..rank]);
    }

    /// <summary>Outside of autograd: the reduction of x, its axes kept with extent 1.</summary>
    private static Tensor Reduced(ReduceKind kind, Tensor x, ReadOnlySpan<int> axes)
    {
        int rank = x.Shape.Rank;
        Span<bool> reduced = stackalloc bool[rank];
        Mark(x.Shape, axes, reduced);
        int first = reduced.IndexOf(true);
        int last = reduced.LastIndexOf(true);
        Shape kept = Kept(x.Shape, axes);
        if (first >= 0 && reduced[first..(last + 1)].Contains(false))
        {
            // Axes that are not neighbours are brought to the end.
            Span<int> extents = stackalloc int[rank];
            Span<int> strides = stackalloc int[rank];
            int at = 0;
            for (int pass = 0; pass < 2; pass++)
            {
                for (int i = 0; i < rank; i++)
                {
                    if (reduced[i] != (pass == 1)) continue;
                    (extents[at], strides[at]) = (x.Shape[i], x.Strides[i]);
                    at++;
                }
            }

            x = x.View(new Shape(extents), strides);
            int count = axes.Length;
            first = rank - count;
            last = rank - 1;
        }

        x = x.To(x.DType);
        int outer = 1, length = 1, inner = 1;
        for (int i = 0; i < rank; i++)
        {
            if (first < 0 || i > last) inner *= x.Shape[i];
            else if (i >= first) length *= x.Shape[i];
            else outer *= x.Shape[i];
        }

        if (length == 0 && outer * inner > 0 && kind is ReduceKind.Max or ReduceKind.Min or ReduceKind.ArgMax or ReduceKind.ArgMin)
            throw new ArgumentException($"{kind}: shape {x.Shape} has nothing to choose from");
        if (first < 0) (outer, inner) = (inner, 1);
        Tensor y = Tensor.Empty(kept, ResultType(kind, x.DType), x.Device);
        if (y.Count > 0) x.Device.Kernels.Reduce(kind, x, outer, length, inner, y);
        return y;
    }

    private static DType ResultType(ReduceKind kind, DType type) => kind switch
    {
        ReduceKind.ArgMax or ReduceKind.ArgMin => DType.Int64,
        ReduceKind.Any or ReduceKind.All => DType.Bool,
        ReduceKind.Sum or ReduceKind.Product when !type.IsFloat() => DType.Int64,
        _ => type,
    };
}
