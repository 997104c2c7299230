namespace LoRA2.Native.Tensors;

/// <content>AdaLoRA's orthogonality loss (arXiv 2303.10512, equation 4, without the square, as its authors compute it).</content>
public static partial class Ops
{
    /// <summary>
    /// ‖LᵀL − I‖_F + ‖R Rᵀ − I‖_F for L [m, a] and R [b, n]. Rank 0. Where a norm is 0 it has no gradient; 0 is taken.
    /// </summary>
    /// <exception cref="ArgumentException">An operand is not a matrix, or the types differ.</exception>
    public static Tensor OrthogonalityNorm(Tensor left, Tensor right)
    {
        RequireMatrices("OrthogonalityNorm", left, right);
        left = Contiguous(left);
        right = Contiguous(right);
        Tensor leftGap = GramGap(left, transposeFirst: true);
        Tensor rightGap = GramGap(right, transposeFirst: false);
        Kernels kernels = left.Device.Kernels;
        double leftNorm = Math.Sqrt(kernels.SumOfSquares(leftGap));
        double rightNorm = Math.Sqrt(kernels.SumOfSquares(rightGap));
        Tensor loss = Tensor.Full([], leftNorm + rightNorm, left.DType);
        return Tape.Records(left, right) ? Tape.Record(OrthogonalityNormNode.Of(left, right, leftGap, rightGap, leftNorm, rightNorm), loss) : loss;
    }

    /// <summary>∂/∂L = 2 L (LᵀL − I) / ‖LᵀL − I‖; ∂/∂R = 2 (R Rᵀ − I) R / ‖R Rᵀ − I‖.</summary>
    private sealed class OrthogonalityNormNode : Node
    {
        private Tensor left = null!;
        private Tensor right = null!;
        private Tensor leftGap = null!;
        private Tensor rightGap = null!;
        private double leftNorm;
        private double rightNorm;

        public static OrthogonalityNormNode Of(Tensor left, Tensor right, Tensor leftGap, Tensor rightGap, double leftNorm, double rightNorm)
        {
            OrthogonalityNormNode node = Take<OrthogonalityNormNode>();
            node.left = node.Save(left);
            node.right = node.Save(right);
            node.leftGap = node.Save(leftGap);
            node.rightGap = node.Save(rightGap);
            node.leftNorm = leftNorm;
            node.rightNorm = rightNorm;
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            double g = 2 * gradient.Item();
            Kernels kernels = gradient.Device.Kernels;
            if (leftNorm > 0 && WantedGradient(left) is { } dleft)
            {
                kernels.MatMul(left, false, leftGap, false, dleft, g / leftNorm);
                Accumulate(left, dleft);
            }

            if (rightNorm > 0 && WantedGradient(right) is { } dright)
            {
                kernels.MatMul(rightGap, false, right, false, dright, g / rightNorm);
                Accumulate(right, dright);
            }
        }
    }
}
