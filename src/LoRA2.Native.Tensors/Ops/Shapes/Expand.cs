using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Broadcasting, and its gradient.</content>
public static partial class Ops
{
    /// <summary>
    /// A view in which axes of extent 1 are repeated, without a copy, and new axes may come first; −1 keeps an extent (PyTorch's <c>expand</c>).
    /// </summary>
    /// <exception cref="ArgumentException">An axis that is not of extent 1 would change.</exception>
    public static Tensor Expand(Tensor x, params ReadOnlySpan<int> extents)
    {
        ArgumentNullException.ThrowIfNull(x);
        int added = extents.Length - x.Shape.Rank;
        if (added < 0) throw new ArgumentException($"Expand: {extents.Length} extents were given for shape {x.Shape}");
        Span<int> found = stackalloc int[extents.Length];
        for (int i = 0; i < found.Length; i++)
        {
            int own = i < added ? 1 : x.Shape[i - added];
            found[i] = extents[i] == -1 && i >= added ? own : extents[i];
            if (found[i] != own && own != 1) throw new ArgumentException($"Expand: axis {i - added} of shape {x.Shape} can't become {extents[i]}");
        }

        return BroadcastTo(x, new Shape(found));
    }

    /// <summary>A view broadcast to a shape that it is known to broadcast to.</summary>
    private static Tensor BroadcastTo(Tensor x, Shape shape)
    {
        if (x.Shape == shape) return x;
        Tensor y = BroadcastView(x, shape);
        return Tape.Records(x) ? Tape.Record(ExpandNode.Of(x), y) : y;
    }

    /// <summary>Adds up a gradient over the axes along which its input was broadcast.</summary>
    private static Tensor SumTo(Tensor gradient, Shape shape)
    {
        if (gradient.Shape == shape) return gradient;
        gradient = Contiguous(gradient);
        Tensor sum = Tensor.Zeros(shape, gradient.DType, gradient.Device);
        if (shape.Rank == 1 && shape.Elements == gradient.Shape.Columns) gradient.Device.Kernels.SumRows(gradient, sum);
        else gradient.Device.Kernels.AccumulateInto(gradient, BroadcastView(sum, gradient.Shape));
        return Tape.Records(gradient) ? Tape.Record(SumToNode.Of(gradient), sum) : sum;
    }

    /// <summary>The same tensor as another result: what a gradient that goes to two places is.</summary>
    internal static Tensor Alias(Tensor x)
    {
        Tensor y = x.Alias();
        return Tape.Records(x) ? Tape.Record(AliasNode.Of(x), y) : y;
    }

    private sealed class ExpandNode : OpNode
    {
        private Tensor x = null!;

        public static ExpandNode Of(Tensor x)
        {
            ExpandNode node = Take<ExpandNode>();
            node.x = x;
            return node;
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, SumTo(gradient, x.Shape));
    }

    private sealed class SumToNode : OpNode
    {
        private Tensor x = null!;

        public static SumToNode Of(Tensor x)
        {
            SumToNode node = Take<SumToNode>();
            node.x = x;
            return node;
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Contiguous(BroadcastTo(gradient, x.Shape)));
    }

    private sealed class AliasNode : OpNode
    {
        private Tensor x = null!;

        public static AliasNode Of(Tensor x)
        {
            AliasNode node = Take<AliasNode>();
            node.x = x;
            return node;
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, gradient);
    }
}
