using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Products along axes, and running sums and products.</content>
public static partial class Ops
{
    /// <summary>The product of all elements; rank 0. Of integers and truth values as Int64.</summary>
    public static Tensor Product(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return WithoutAxes(ProductAlong(Reshape(x, x.Count), 0), []);
    }

    /// <summary>The product along one axis, which disappears, or stays with extent 1.</summary>
    public static Tensor Product(Tensor x, int axis, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank == 0) return Product(x);
        axis = x.Shape.Axis(axis);
        Tensor y = ProductAlong(x, axis);
        return keepDims ? y : WithoutAxes(y, [axis]);
    }

    /// <summary>The sums of the first 1, 2, … elements along an axis.</summary>
    public static Tensor CumSum(Tensor x, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Scan(ScanKind.Sum, x, axis);
    }

    /// <summary>The products of the first 1, 2, … elements along an axis.</summary>
    public static Tensor CumProd(Tensor x, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Scan(ScanKind.Product, x, axis);
    }

    private static Tensor ProductAlong(Tensor x, int axis)
    {
        x = Contiguous(x);
        Tensor y = Reduced(ReduceKind.Product, x, [axis]);
        return Tape.Records(x) ? Tape.Record(ProductNode.Of(x, axis), y) : y;
    }

    private static Tensor Scan(ScanKind kind, Tensor x, int axis)
    {
        if (x.Shape.Rank == 0) return Alias(x);
        axis = x.Shape.Axis(axis);
        x = Contiguous(x.DType is DType.Bool or DType.Int32 ? Cast(x, DType.Int64) : x);
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        int inner = 1;
        for (int i = axis + 1; i < x.Shape.Rank; i++) inner *= x.Shape[i];
        if (x.Count > 0) x.Device.Kernels.Scan(kind, x, x.Count / (inner * x.Shape[axis]), x.Shape[axis], inner, y);
        return Tape.Records(x) ? Tape.Record(ScanNode.Of(kind, axis, x, y), y) : y;
    }

    /// <summary>The products of all elements before each along an axis.</summary>
    private static Tensor ProductBefore(Tensor x, int axis) => Concat(
        axis, Tensor.Full(x.Shape.With(axis, 1), 1, x.DType, x.Device), CumProd(Slice(x, axis, 0, x.Shape[axis] - 1), axis));

    private static bool HasZeros(Tensor x) => Unrecorded(() => Any(Equal(x, 0))).Item() != 0;

    private sealed class ProductNode : OpNode
    {
        private Tensor x = null!;
        private int axis;

        public static ProductNode Of(Tensor x, int axis)
        {
            ProductNode node = Take<ProductNode>();
            node.x = node.Save(x);
            node.axis = axis;
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            if (x.Count == 0)
            {
                Accumulate(x, Tensor.Zeros(x.Shape, x.DType, x.Device));
                return;
            }

            // The product of the others, without a division: x may be 0.
            Tensor others = Multiply(ProductBefore(x, axis), Flip(ProductBefore(Flip(x, axis), axis), axis));
            Accumulate(x, Multiply(gradient, others));
        }
    }

    private sealed class ScanNode : OpNode
    {
        private ScanKind kind;
        private int axis;
        private Tensor x = null!;
        private Tensor y = null!;

        public static ScanNode Of(ScanKind kind, int axis, Tensor x, Tensor y)
        {
            ScanNode node = Take<ScanNode>();
            (node.kind, node.axis) = (kind, axis);
            node.x = kind == ScanKind.Product ? node.Save(x) : x;
            node.y = kind == ScanKind.Product ? node.Save(y) : y;
            return node;
        }

        public override string Name => kind == ScanKind.Product ? "CumProd" : "CumSum";

        protected internal override void Backward(Tensor gradient) => Accumulate(x, kind switch
        {
            ScanKind.Sum => Scan(ScanKind.ReverseSum, gradient, axis),
            ScanKind.ReverseSum => Scan(ScanKind.Sum, gradient, axis),
            _ when x.Count == 0 => Tensor.Zeros(x.Shape, x.DType, x.Device),
            _ when HasZeros(x) => AroundZeros(gradient),
            _ => Divide(Scan(ScanKind.ReverseSum, Multiply(gradient, y), axis), x),
        });

        /// <summary>Without a division: the product before each element times s, where s = gradient + (the next element) · (the next s).</summary>
        private Tensor AroundZeros(Tensor gradient)
        {
            int length = x.Shape[axis];
            var sums = new Tensor[length];
            for (int i = length - 1; i >= 0; i--)
            {
                Tensor here = Slice(gradient, axis, i, 1);
                sums[i] = i == length - 1 ? here : Add(here, Multiply(Slice(x, axis, i + 1, 1), sums[i + 1]));
            }

            return Multiply(ProductBefore(x, axis), Concat(axis, sums));
        }
    }
}
