using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Matrix products.</content>
public static partial class Ops
{
    /// <summary>
    /// op(a) op(b), where op transposes the last two axes when asked. Either both are matrices, or both have the same leading axes and each pair of
    /// matrices is multiplied: [.., m, k] × [.., k, n] → [.., m, n].
    /// </summary>
    /// <exception cref="ArgumentException">The inner or leading extents differ.</exception>
    public static Tensor MatMul(Tensor a, Tensor b, bool transposeA = false, bool transposeB = false)
    {
        RequireSameType("MatMul", a, b);
        int rank = a.Shape.Rank;
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

    private static string Described(Tensor x, bool transposed) => transposed ? $"{x.Shape} transposed" : x.Shape.ToString();

    private static Tensor Product(Tensor a, bool transposeA, Tensor b, bool transposeB, Shape shape)
    {
        Tensor y = Tensor.Empty(shape, a.DType, a.Device);
        if (shape.Rank == 2) a.Device.Kernels.MatMul(a, transposeA, b, transposeB, y);
        else a.Device.Kernels.BatchedMatMul(a, transposeA, b, transposeB, y);
        return y;
    }

    private sealed class MatMulNode : Node
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
                Accumulate(a, transposeA ? Product(b, transposeB, gradient, true, a.Shape) : Product(gradient, false, b, !transposeB, a.Shape));
            }

            if (b.RequiresGrad)
            {
                Accumulate(b, transposeB ? Product(gradient, true, a, transposeA, b.Shape) : Product(a, !transposeA, gradient, false, b.Shape));
            }
        }
    }
}
