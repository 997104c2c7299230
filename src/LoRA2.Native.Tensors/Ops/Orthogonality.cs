namespace LoRA2.Native.Tensors;

/// <content>The orthogonality losses of LoRA2 (arXiv 2408.06854, equation 5).</content>
public static partial class Ops
{
    /// <summary>
    /// ‖LᵀL − I‖²_F + ‖R Rᵀ − I‖²_F for L [m, a] and R [b, n]: R(u, v) with L = u and R = v, R(𝒰, 𝒱) with L = 𝒰 and R = 𝒱. Rank 0. It is never below
    /// max(a − m, 0) + max(b − n, 0).
    /// </summary>
    /// <exception cref="ArgumentException">An operand is not a matrix, or the types differ.</exception>
    public static Tensor Orthogonality(Tensor left, Tensor right)
    {
        RequireMatrices("Orthogonality", left, right);
        left = Contiguous(left);
        right = Contiguous(right);
        Tensor leftGap = GramGap(left, transposeFirst: true);
        Tensor rightGap = GramGap(right, transposeFirst: false);
        Tensor loss = SumOfSquaredGaps(leftGap, rightGap);
        return Tape.Records(left, right) ? Tape.Record(OrthogonalityNode.Of(left, right, leftGap, rightGap), loss) : loss;
    }

    private static void RequireMatrices(string op, Tensor a, Tensor b)
    {
        RequireSameType(op, a, b);
        if (a.Shape.Rank != 2 || b.Shape.Rank != 2) throw new ArgumentException($"{op}: operands of shapes {a.Shape} and {b.Shape} must be matrices");
    }

    /// <summary>XᵀX − I, or X Xᵀ − I.</summary>
    private static Tensor GramGap(Tensor x, bool transposeFirst)
    {
        int n = x.Shape[transposeFirst ? 1 : 0];
        Tensor gram = Product(x, transposeFirst, x, !transposeFirst, [n, n]);
        SubtractIdentity(gram);
        return gram;
    }

    private static void SubtractIdentity(Tensor square)
    {
        int n = square.Shape[0];
        Tensor diagonal = square.View([n], [n + 1]);
        square.Device.Kernels.AccumulateInto(Tensor.Full([n], -1, square.DType), diagonal);
    }

    private static Tensor SumOfSquaredGaps(Tensor left, Tensor right)
    {
        Tensor loss = Tensor.Zeros([], left.DType);
        Tensor part = Tensor.Zeros([], left.DType);
        foreach (Tensor gap in (ReadOnlySpan<Tensor>)[left, right])
        {
            Tensor squares = Tensor.Empty(gap.Shape, gap.DType);
            gap.Device.Kernels.Multiply(gap, gap, squares);
            gap.Device.Kernels.SumColumns(squares.View([1, gap.Count]), part);
            gap.Device.Kernels.AddScaled(part, 1, loss);
        }

        return loss;
    }

    /// <summary>∂/∂L = 4 L (LᵀL − I); ∂/∂R = 4 (R Rᵀ − I) R.</summary>
    private sealed class OrthogonalityNode : Node
    {
        private Tensor left = null!;
        private Tensor right = null!;
        private Tensor leftGap = null!;
        private Tensor rightGap = null!;

        public static OrthogonalityNode Of(Tensor left, Tensor right, Tensor leftGap, Tensor rightGap)
        {
            OrthogonalityNode node = Take<OrthogonalityNode>();
            node.left = node.Save(left);
            node.right = node.Save(right);
            node.leftGap = node.Save(leftGap);
            node.rightGap = node.Save(rightGap);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            double g = 4 * gradient.Item();
            Kernels kernels = gradient.Device.Kernels;
            if (WantedGradient(left) is { } dleft)
            {
                kernels.MatMul(left, false, leftGap, false, dleft, g);
                Accumulate(left, dleft);
            }

            if (WantedGradient(right) is { } dright)
            {
                kernels.MatMul(rightGap, false, right, false, dright, g);
                Accumulate(right, dright);
            }
        }
    }
}
