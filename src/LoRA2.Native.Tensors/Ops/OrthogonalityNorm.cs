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
        return Tape.Records(left, right) ? Tape.Record(new OrthogonalityNormNode(left, right, leftGap, rightGap, leftNorm, rightNorm), loss) : loss;
    }

    /// <summary>∂/∂L = 2 L (LᵀL − I) / ‖LᵀL − I‖; ∂/∂R = 2 (R Rᵀ − I) R / ‖R Rᵀ − I‖.</summary>
    private sealed class OrthogonalityNormNode : Node
    {
        private readonly Tensor left;
        private readonly Tensor right;
        private readonly Tensor leftGap;
        private readonly Tensor rightGap;
        private readonly double leftNorm;
        private readonly double rightNorm;

        public OrthogonalityNormNode(Tensor left, Tensor right, Tensor leftGap, Tensor rightGap, double leftNorm, double rightNorm)
        {
            this.left = Save(left);
            this.right = Save(right);
            this.leftGap = Save(leftGap);
            this.rightGap = Save(rightGap);
            this.leftNorm = leftNorm;
            this.rightNorm = rightNorm;
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
