using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Linear systems, inverse and determinant of the square matrices that the last two axes are.</content>
public static partial class Ops
{
    /// <summary>
    /// The x with a x = b: a is [.., n, n], b is [.., n, m] with leading axes that broadcast, or [n] (or a batch of vectors, where b has a's leading axes and one more).
    /// </summary>
    /// <exception cref="ArgumentException">Shapes don't fit, or a matrix is singular.</exception>
    public static Tensor Solve(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        RequireSquare("Solve", a);
        RequireSameType("Solve", a, b);
        bool vectors = b.Shape.Rank == 1 || (b.Shape.Rank == a.Shape.Rank - 1 && b.Shape.Extents.SequenceEqual(a.Shape.Extents[..^1]));
        if (vectors) return Squeeze(Solve(a, Unsqueeze(b, -1)), -1);
        if (b.Shape.Rank < 2 || b.Shape[^2] != a.Shape[^1]) throw new ArgumentException($"Solve: a right side of shape {b.Shape} does not fit matrices of shape {a.Shape}");
        Shape leading = Shape.Broadcast(new Shape(a.Shape.Extents[..^2]), new Shape(b.Shape.Extents[..^2]), "Solve");
        a = Contiguous(BroadcastTo(a, new Shape([.. leading.Extents, a.Shape[^2], a.Shape[^1]])));
        b = Contiguous(BroadcastTo(b, new Shape([.. leading.Extents, b.Shape[^2], b.Shape[^1]])));
        Tensor y = Unrecorded(() => Solved("Solve", a, b));
        return Tape.Records(a, b) ? Tape.Record(new SolveNode(a, b, y), y) : y;
    }

    /// <summary>The inverse of each matrix of [.., n, n].</summary>
    /// <exception cref="ArgumentException">The matrices are not square, or one is singular.</exception>
    public static Tensor Inverse(Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        RequireSquare("Inverse", a);
        a = Contiguous(a);
        Tensor y = Unrecorded(() => Solved("Inverse", a, Contiguous(BroadcastTo(Identity(a.Shape[^1], a), a.Shape))));
        return Tape.Records(a) ? Tape.Record(new InverseNode(a, y), y) : y;
    }

    /// <summary>The determinant of each matrix of [.., n, n]; 1 of the empty one.</summary>
    /// <exception cref="ArgumentException">The matrices are not square.</exception>
    public static Tensor Determinant(Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        RequireSquare("Determinant", a);
        a = Contiguous(a);
        Tensor y = Unrecorded(() =>
        {
            if (a.Count == 0) return Tensor.Full(new Shape(a.Shape.Extents[..^2]), 1, a.DType, a.Device);
            (Tensor lu, Tensor order) = Decomposed(a);
            return Multiply(Product(Diagonal(lu, 0, -2, -1), -1), Signs(order, a));
        });
        return Tape.Records(a) ? Tape.Record(new DeterminantNode(a, y), y) : y;
    }

    /// <summary>The x with op(a) x = b for triangular a [.., n, n] and b [.., n, m] of the same leading axes.</summary>
    /// <exception cref="ArgumentException">Shapes don't fit.</exception>
    public static Tensor SolveTriangular(Tensor a, Tensor b, bool upper, bool transposed = false)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        RequireSquare("SolveTriangular", a);
        RequireSameType("SolveTriangular", a, b);
        if (b.Shape.Rank != a.Shape.Rank || b.Shape[^2] != a.Shape[^1] || !a.Shape.Extents[..^2].SequenceEqual(b.Shape.Extents[..^2]))
            throw new ArgumentException($"SolveTriangular: a right side of shape {b.Shape} does not fit matrices of shape {a.Shape}");
        (a, b) = (Contiguous(a), Contiguous(b));
        Tensor y = Tensor.Empty(b.Shape, b.DType, b.Device);
        a.Device.Kernels.SolveTriangular(a, upper, transposed, false, b, y);
        return Tape.Records(a, b) ? Tape.Record(new SolveTriangularNode(a, upper, transposed, b, y), y) : y;
    }

    private static Tensor Identity(int n, Tensor like) => Diag(Tensor.Full([n], 1, like.DType, like.Device));

    private static void RequireSquare(string op, Tensor a)
    {
        RequireFloating(op, a);
        if (a.Shape.Rank < 2 || a.Shape[^1] != a.Shape[^2]) throw new ArgumentException($"{op}: shape {a.Shape} is not one of square matrices");
    }

    private static (Tensor LU, Tensor Order) Decomposed(Tensor a)
    {
        Tensor lu = Tensor.Empty(a.Shape, a.DType, a.Device);
        Tensor order = Tensor.Empty(new Shape(a.Shape.Extents[..^1]), DType.Int64, a.Device);
        a.Device.Kernels.Factorise(Factorisation.LU, a, lu, order);
        return (lu, order);
    }

    private static Tensor Solved(string op, Tensor a, Tensor b)
    {
        if (b.Count == 0) return Tensor.Empty(b.Shape, b.DType, b.Device);
        (Tensor lu, Tensor order) = Decomposed(a);
        if (Any(Equal(Diagonal(lu, 0, -2, -1), 0)).Item() != 0) throw new ArgumentException($"{op}: a matrix of {a.Description} is singular");
        Tensor rows = TakeAlongAxis(b, Contiguous(BroadcastTo(Unsqueeze(order, -1), b.Shape)), -2);
        Tensor half = Tensor.Empty(b.Shape, b.DType, b.Device);
        a.Device.Kernels.SolveTriangular(lu, false, false, true, rows, half);
        Tensor y = Tensor.Empty(b.Shape, b.DType, b.Device);
        a.Device.Kernels.SolveTriangular(lu, true, false, false, half, y);
        return y;
    }

    /// <summary>The sign of each permutation of rows.</summary>
    private static Tensor Signs(Tensor order, Tensor like)
    {
        int n = order.Shape.Columns;
        ReadOnlySpan<long> orders = order.AsSpan<long>();
        Tensor signs = Tensor.Full(new Shape(order.Shape.Extents[..^1]), 1, DType.Float64);
        Span<double> values = signs.AsSpan<double>();
        for (int matrix = 0; matrix < values.Length; matrix++)
        {
            ReadOnlySpan<long> permutation = orders.Slice(matrix * n, n);
            for (int i = 0; i < n; i++)
            {
                for (int j = i + 1; j < n; j++)
                {
                    if (permutation[i] > permutation[j]) values[matrix] = -values[matrix];
                }
            }
        }

        return Cast(signs, like.DType);
    }

    /// <summary>The gradient of a determinant that may be 0: the matrix of cofactors, from the singular value decomposition.</summary>
    private static Tensor Cofactors(Tensor a)
    {
        (Tensor u, Tensor s, Tensor vt) = Svd(a);
        int n = a.Shape[^1];
        Tensor others = Unsqueeze(Stack(-1, [.. Enumerable.Range(0, n).Select(i => Product(Concat(-1, Slice(s, -1, 0, i), Slice(s, -1, i + 1, n - i - 1)), -1))]), -2);
        Tensor sign = Multiply(Determinant(u), Determinant(vt));
        return Multiply(MatMul(Multiply(u, others), vt), Unsqueeze(Unsqueeze(sign, -1), -1));
    }

    private sealed class SolveNode : OpNode
    {
        private readonly Tensor a;
        private readonly Tensor b;
        private readonly Tensor y;

        public SolveNode(Tensor a, Tensor b, Tensor y) => (this.a, this.b, this.y) = (Save(a), b, Save(y));

        protected internal override void Backward(Tensor gradient)
        {
            Tensor db = Solve(Transpose(a), gradient);
            if (b.RequiresGrad) Accumulate(b, db);
            if (a.RequiresGrad) Accumulate(a, Negate(MatMul(db, y, false, true)));
        }
    }

    private sealed class InverseNode : OpNode
    {
        private readonly Tensor a;
        private readonly Tensor y;

        public InverseNode(Tensor a, Tensor y) => (this.a, this.y) = (a, Save(y));

        protected internal override void Backward(Tensor gradient) => Accumulate(a, Negate(MatMul(MatMul(y, gradient, true, false), y, false, true)));
    }

    private sealed class DeterminantNode : OpNode
    {
        private readonly Tensor a;
        private readonly Tensor y;

        public DeterminantNode(Tensor a, Tensor y) => (this.a, this.y) = (Save(a), Save(y));

        protected internal override void Backward(Tensor gradient)
        {
            if (a.Count == 0)
            {
                Accumulate(a, Tensor.Zeros(a.Shape, a.DType, a.Device));
                return;
            }

            Tensor product = Unsqueeze(Unsqueeze(Multiply(gradient, y), -1), -1);
            bool singular = HasZeros(y);
            if (singular && Autograd.Tape.Records(a)) throw new NotSupportedException("Determinant has no second derivative where it is 0");
            Accumulate(a, singular
                ? Multiply(Unsqueeze(Unsqueeze(gradient, -1), -1), Cofactors(a))
                : Multiply(product, Contiguous(Transpose(Inverse(a)))));
        }
    }

    private sealed class SolveTriangularNode : OpNode
    {
        private readonly Tensor a;
        private readonly bool upper;
        private readonly bool transposed;
        private readonly Tensor b;
        private readonly Tensor y;

        public SolveTriangularNode(Tensor a, bool upper, bool transposed, Tensor b, Tensor y)
        {
            (this.a, this.b, this.y) = (Save(a), b, Save(y));
            (this.upper, this.transposed) = (upper, transposed);
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor db = SolveTriangular(a, gradient, upper, !transposed);
            if (b.RequiresGrad) Accumulate(b, db);
            if (!a.RequiresGrad) return;
            Tensor da = Negate(transposed ? MatMul(y, db, false, true) : MatMul(db, y, false, true));
            Accumulate(a, upper ? Triu(da) : Tril(da));
        }
    }
}
