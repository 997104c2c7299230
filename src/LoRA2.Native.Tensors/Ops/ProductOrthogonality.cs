namespace LoRA2.Native.Tensors;

/// <content>The orthogonality loss of LoRA2's products P = u v and Q = 𝒰 𝒱.</content>
public static partial class Ops
{
    /// <summary>
    /// R(P, Q) = ‖PᵀP − I‖²_F + ‖Q Qᵀ − I‖²_F (arXiv 2408.06854, equation 5), computed as vᵀ(uᵀu)v and 𝒰(𝒱𝒱ᵀ)𝒰ᵀ without forming P or Q: u [in, k],
    /// v [k, r], 𝒰 [r, k], 𝒱 [k, out]. Rank 0. It is never below 2 max(r − k, 0).
    /// </summary>
    /// <exception cref="ArgumentException">An operand is not a matrix, types differ, or they don't fit each other.</exception>
    public static Tensor ProductOrthogonality(Tensor u, Tensor v, Tensor innerRight, Tensor outerRight)
    {
        RequireMatrices("ProductOrthogonality", u, v);
        RequireMatrices("ProductOrthogonality", innerRight, outerRight);
        RequireSameType("ProductOrthogonality", u, innerRight);
        if (u.Shape[1] != v.Shape[0] || innerRight.Shape[1] != outerRight.Shape[0] || v.Shape[1] != innerRight.Shape[0])
            throw new ArgumentException($"ProductOrthogonality: u {u.Shape}, v {v.Shape}, U {innerRight.Shape} and V {outerRight.Shape} don't fit each other");
        var left = new Plane(Contiguous(u), Contiguous(v), IsLeft: true);
        var right = new Plane(Contiguous(outerRight), Contiguous(innerRight), IsLeft: false);
        Tensor loss = SumOfSquaredGaps(left.Gap, right.Gap);
        return Tape.Records(left.Outer, left.Inner, right.Outer, right.Inner) ? Tape.Record(new ProductOrthogonalityNode(left, right), loss) : loss;
    }

    /// <summary>
    /// One side of Δ. On the left P = outer · inner, and Carried = (outerᵀouter) inner; on the right Q = inner · outer, and
    /// Carried = inner (outer outerᵀ).
    /// </summary>
    private sealed record Plane(Tensor Outer, Tensor Inner, bool IsLeft)
    {
        private Tensor? carried;

        /// <summary>[k, r] on the left, [r, k] on the right.</summary>
        public Tensor Carried => carried ??= IsLeft ? Product(Gram, false, Inner, false, Inner.Shape) : Product(Inner, false, Gram, false, Inner.Shape);

        /// <summary>PᵀP − I, or Q Qᵀ − I: [r, r].</summary>
        public Tensor Gap => field ??= MakeGap();

        private int OuterRank => IsLeft ? Outer.Shape[1] : Outer.Shape[0];

        private int Rank => IsLeft ? Inner.Shape[1] : Inner.Shape[0];

        private Tensor Gram => Product(Outer, IsLeft, Outer, !IsLeft, [OuterRank, OuterRank]);

        /// <summary>
        /// With E the gap: ∂/∂u = 4 u (v E vᵀ) and ∂/∂v = 4 (uᵀu) v E; ∂/∂𝒰 = 4 E 𝒰 (𝒱𝒱ᵀ) and ∂/∂𝒱 = 4 (𝒰ᵀ E 𝒰) 𝒱.
        /// </summary>
        public void Backward(double scale, Action<Tensor, Tensor> accumulate)
        {
            Kernels kernels = Outer.Device.Kernels;
            if (WantedGradient(Inner) is { } dinner)
            {
                if (IsLeft) kernels.MatMul(Carried, false, Gap, false, dinner, scale);
                else kernels.MatMul(Gap, false, Carried, false, dinner, scale);
                accumulate(Inner, dinner);
            }

            if (WantedGradient(Outer) is not { } douter) return;
            Tensor half = IsLeft ? Product(Inner, false, Gap, false, Inner.Shape) : Product(Gap, false, Inner, false, Inner.Shape);
            Tensor square = Product(IsLeft ? half : Inner, !IsLeft, IsLeft ? Inner : half, IsLeft, [OuterRank, OuterRank]);
            if (IsLeft) kernels.MatMul(Outer, false, square, false, douter, scale);
            else kernels.MatMul(square, false, Outer, false, douter, scale);
            accumulate(Outer, douter);
        }

        private Tensor MakeGap()
        {
            Tensor gap = IsLeft ? Product(Inner, true, Carried, false, [Rank, Rank]) : Product(Carried, false, Inner, true, [Rank, Rank]);
            SubtractIdentity(gap);
            return gap;
        }
    }

    private sealed class ProductOrthogonalityNode : Node
    {
        private readonly Plane left;
        private readonly Plane right;

        public ProductOrthogonalityNode(Plane left, Plane right)
        {
            this.left = left;
            this.right = right;
            foreach (Plane plane in (ReadOnlySpan<Plane>)[left, right])
            {
                Save(plane.Outer);
                Save(plane.Inner);
                Save(plane.Carried);
                Save(plane.Gap);
            }
        }

        protected internal override void Backward(Tensor gradient)
        {
            double g = 4 * gradient.Item();
            left.Backward(g, Accumulate);
            right.Backward(g, Accumulate);
        }
    }
}
