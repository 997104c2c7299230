using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Matrix products.</content>
public static partial class Ops
{
    /// <summary>
    /// op(a) op(b), where op transposes the last two axes when asked: [.., m, k] × [.., k, n] → [.., m, n]. Leading axes broadcast as in NumPy, and each pair of matrices is
    /// multiplied. A vector is a row on the left and a column on the right, and its axis disappears.
    /// </summary>
    /// <exception cref="ArgumentException">The inner extents differ, or the leading ones don't broadcast.</exception>
    public static Tensor MatMul(Tensor a, Tensor b, bool transposeA = false, bool transposeB = false)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        RequireSameType("MatMul", a, b);
        int rank = a.Shape.Rank;
        if (rank != b.Shape.Rank || rank < 2 || !a.Shape.Extents[..^2].SequenceEqual(b.Shape.Extents[..^2]))
        {
            if (Broadcast(a, b, transposeA, transposeB) is { } broadcast) return broadcast;
        }

        if (rank < 2 || b.Shape.Rank != rank || !a.Shape.Extents[..^2].SequenceEqual(b.Shape.Extents[..^2]))
            throw new ArgumentException($"MatMul: shapes {a.Shape} and {b.Shape} must have the same leading axes and two more");
        (int m, int k) = transposeA ? (a.Shape[^1], a.Shape[^2]) : (a.Shape[^2], a.Shape[^1]);
        (int inner, int n) = transposeB ? (b.Shape[^1], b.Shape[^2]) : (b.Shape[^2], b.Shape[^1]);
        if (k != inner) throw new ArgumentException($"MatMul: inner extents differ, {Described(a, transposeA)} × {Described(b, transposeB)}");
        a = Contiguous(a);
        b = Contiguous(b);
        Tensor y = Product(a, transposeA, b, transposeB, a.Shape.WithLast(2, m, n));
        return Tape.Records(a, b) ? Tape.Record(MatMulNode.Of(a, b, transposeA, transposeB), y) : y;
    }

    /// <summary>The product where shapes are not of the same leading axes; null where they don't fit.</summary>
    private static Tensor? Broadcast(Tensor a, Tensor b, bool transposeA, bool transposeB)
    {
        (int rankA, int rankB) = (a.Shape.Rank, b.Shape.Rank);
        if (rankA == 0 || rankB == 0) return null;
        if (rankA == 1)
        {
            Tensor row = MatMul(Unsqueeze(a, 0), rankB == 1 ? Unsqueeze(b, 1) : b, false, rankB > 1 && transposeB);
            return rankB == 1 ? Reshape(row) : Squeeze(row, -2);
        }

        if (rankB == 1) return Squeeze(MatMul(a, Unsqueeze(b, 1), transposeA, false), -1);
        if (rankB == 2 && !transposeA)
        {
            // One right operand for all: the left one is a single, taller matrix.
            Tensor rows = Reshape(a, a.Shape.Rows, a.Shape.Columns);
            return Reshape(MatMul(rows, b, false, transposeB), [.. a.Shape.Extents[..^1], transposeB ? b.Shape[0] : b.Shape[1]]);
        }

        Span<int> leading = stackalloc int[Math.Max(rankA, rankB) - 2];
        for (int i = 0; i < leading.Length; i++)
        {
            int fromA = i - (leading.Length - (rankA - 2)), fromB = i - (leading.Length - (rankB - 2));
            int x = fromA < 0 ? 1 : a.Shape[fromA], y = fromB < 0 ? 1 : b.Shape[fromB];
            if (x != y && x != 1 && y != 1) return null;
            leading[i] = x == 1 ? y : x;
        }

        return MatMul(
            BroadcastTo(a, new Shape([.. leading, a.Shape[^2], a.Shape[^1]])), BroadcastTo(b, new Shape([.. leading, b.Shape[^2], b.Shape[^1]])), transposeA, transposeB);
    }

    private static string Described(Tensor x, bool transposed) => transposed ? $"{x.Shape} transposed" : x.Shape.ToString();

    private static Tensor Product(Tensor a, bool transposeA, Tensor b, bool transposeB, Shape shape)
    {
        Tensor y = Tensor.Empty(shape, a.DType, a.Device);
        if (shape.Rank == 2) a.Device.Kernels.MatMul(a, transposeA, b, transposeB, y);
        else a.Device.Kernels.BatchedMatMul(a, transposeA, b, transposeB, y);
        return y;
    }

    private sealed class MatMulNode : OpNode
    {
        private Tensor a = null!;
        private Tensor b = null!;
        private bool transposeA;
        private bool transposeB;

        public static MatMulNode Of(Tensor a, Tensor b, bool transposeA, bool transposeB)
        {
            MatMulNode node = Take<MatMulNode>();
            node.a = b.RequiresGrad ? node.Save(a) : a;
            node.b = a.RequiresGrad ? node.Save(b) : b;
            node.transposeA = transposeA;
            node.transposeB = transposeB;
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            if (a.RequiresGrad)
            {
                Accumulate(a, transposeA ? MatMul(b, gradient, transposeB, true) : MatMul(gradient, b, false, !transposeB));
            }

            if (b.RequiresGrad)
            {
                Accumulate(b, transposeB ? MatMul(gradient, a, true, transposeA) : MatMul(a, gradient, !transposeA, false));
            }
        }
    }
}
