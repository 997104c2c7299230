using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Element-wise arithmetic with broadcasting.</content>
public static partial class Ops
{
    /// <summary>a + b; shapes broadcast as in NumPy.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Add(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Binary(BinaryKind.Add, a, b);
    }

    /// <summary>a − b; shapes broadcast as in NumPy.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Subtract(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Binary(BinaryKind.Subtract, a, b);
    }

    /// <summary>a ∘ b, element by element; shapes broadcast as in NumPy.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Multiply(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Binary(BinaryKind.Multiply, a, b);
    }

    /// <summary>s x, element by element.</summary>
    public static Tensor Scale(Tensor x, double s)
    {
        ArgumentNullException.ThrowIfNull(x);
        x = Operand("Scale", x);
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        x.Device.Kernels.Scale(x, s, y);
        return Tape.Records(x) ? Tape.Record(ScaleNode.Of(x, s), y) : y;
    }

    private static Tensor Binary(BinaryKind kind, Tensor a, Tensor b)
    {
        if (!a.DType.IsFloat() || a.DType != b.DType || kind > BinaryKind.Multiply) return Function(kind, a, b);
        RequireFloating(kind.OpName(), a);
        Shape shape = Shape.Broadcast(a.Shape, b.Shape, kind.OpName());
        Tensor y = Tensor.Empty(shape, a.DType, a.Device);
        Kernels kernels = a.Device.Kernels;
        if (kind == BinaryKind.Add && a.Shape == shape && b.Shape.Rank == 1 && b.Count == shape.Columns && a.IsContiguous && b.IsContiguous)
        {
            kernels.AddRow(a, b, y);
        }
        else
        {
            Tensor left = InOrder(a, shape), right = InOrder(b, shape);
            switch (kind)
            {
                case var _ when !left.IsContiguous || !right.IsContiguous: kernels.Binary(kind, left, right, y); break;
                case BinaryKind.Add: kernels.Add(left, right, y); break;
                case BinaryKind.Subtract: kernels.Subtract(left, right, y); break;
                default: kernels.Multiply(left, right, y); break;
            }
        }

        return Tape.Records(a, b) ? Tape.Record(BinaryNode.Of(kind, a, b), y) : y;
    }

    /// <summary>x in order, then repeated without a copy. (A kernel reads along rows; elements that lie far apart are better copied in tiles.)</summary>
    private static Tensor InOrder(Tensor x, Shape shape) => x.IsContiguous ? RawBroadcast(x, shape) : Materialise(x, shape);

    private static Tensor Materialise(Tensor x, Shape shape)
    {
        if (x.Shape == shape && x.IsContiguous) return x;
        Tensor copy = Tensor.Empty(shape, x.DType, x.Device);
        x.Device.Kernels.Copy(x.Shape == shape ? x : BroadcastView(x, shape), copy);
        return copy;
    }

    private static Tensor BroadcastView(Tensor x, Shape shape)
    {
        Span<int> strides = stackalloc int[shape.Rank];
        strides.Clear();
        for (int i = 1; i <= x.Shape.Rank; i++) strides[^i] = x.Shape[^i] == 1 ? 0 : x.Strides[^i];
        return x.View(shape, strides);
    }

    private static void RequireFloating(string op, Tensor x)
    {
        if (x.DType is not (DType.Float32 or DType.Float64)) throw new ArgumentException($"{op}: an operand is {x.Description}; Float32 or Float64 is needed");
    }

    private static void RequireSameType(string op, Tensor a, params ReadOnlySpan<Tensor?> others)
    {
        RequireFloating(op, a);
        foreach (Tensor? other in others)
        {
            if (other is not null && other.DType != a.DType) throw new ArgumentException($"{op}: operands are {a.Description} and {other.Description}; they must be of one type");
        }
    }

    /// <summary>x in order, once it is known to be of a floating type.</summary>
    private static Tensor Operand(string op, Tensor x)
    {
        RequireFloating(op, x);
        return Contiguous(x);
    }

    private sealed class BinaryNode : OpNode
    {
        private BinaryKind kind;
        private Tensor a = null!;
        private Tensor b = null!;

        public static BinaryNode Of(BinaryKind kind, Tensor a, Tensor b)
        {
            BinaryNode node = Take<BinaryNode>();
            node.kind = kind;
            bool product = kind == BinaryKind.Multiply;
            node.a = product && b.RequiresGrad ? node.Save(a) : a;
            node.b = product && a.RequiresGrad ? node.Save(b) : b;
            return node;
        }

        public override string Name => kind.OpName();

        protected internal override void Backward(Tensor gradient)
        {
            if (a.RequiresGrad) Accumulate(a, SumTo(kind == BinaryKind.Multiply ? Multiply(gradient, b) : gradient, a.Shape));
            if (!b.RequiresGrad) return;
            Tensor db = kind switch
            {
                BinaryKind.Multiply => Multiply(gradient, a),
                BinaryKind.Subtract => Scale(gradient, -1),
                _ => gradient,
            };
            Accumulate(b, SumTo(db, b.Shape));
        }
    }

    private sealed class ScaleNode : OpNode
    {
        private Tensor x = null!;
        private double s;

        public static ScaleNode Of(Tensor x, double s)
        {
            ScaleNode node = Take<ScaleNode>();
            (node.x, node.s) = (x, s);
            return node;
        }

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Scale(gradient, s));
    }
}
