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
        var left = Plane.Of(Contiguous(u), Contiguous(v), isLeft: true);
        var right = Plane.Of(Contiguous(outerRight), Contiguous(innerRight), isLeft: false);
        Tensor loss = SumOfSquaredGaps(left.Gap, right.Gap);
        return Tape.Records(left.Outer, left.Inner, right.Outer, right.Inner) ? Tape.Record(ProductOrthogonalityNode.Of(left, right), loss) : loss;
    }

    /// <summary>
    /// One side of Δ. On the left P = outer · inner, and Carried = (outerᵀouter) inner; on the right Q = inner · outer, and
    /// Carried = inner (outer outerᵀ).
    /// </summary>
    /// <param name="Outer">u, or 𝒱.</param>
    /// <param name="Inner">v, or 𝒰.</param>
    /// <param name="IsLeft">Which side.</param>
    /// <param name="Carried">[k, r] on the left, [r, k] on the right.</param>
    /// <param name="Gap">PᵀP − I, or Q Qᵀ − I: [r, r].</param>
    private readonly record struct Plane(Tensor Outer, Tensor Inner, bool IsLeft, Tensor Carried, Tensor Gap)
    {
        private int OuterRank => Outer.Shape[IsLeft ? 1 : 0];

        public static Plane Of(Tensor outer, Tensor inner, bool isLeft)
        {
            int outerRank = outer.Shape[isLeft ? 1 : 0];
            int rank = inner.Shape[isLeft ? 1 : 0];
            Tensor gram = Product(outer, isLeft, outer, !isLeft, [outerRank, outerRank]);
            Tensor carried = isLeft ? Product(gram, false, inner, false, inner.Shape) : Product(inner, false, gram, false, inner.Shape);
            Tensor gap = isLeft ? Product(inner, true, carried, false, [rank, rank]) : Product(carried, false, inner, true, [rank, rank]);
            SubtractIdentity(gap);
            return new Plane(outer, inner, isLeft, carried, gap);
        }

        /// <summary>
        /// With E the gap: ∂/∂u = 4 u (v E vᵀ) and ∂/∂v = 4 (uᵀu) v E; ∂/∂𝒰 = 4 E 𝒰 (𝒱𝒱ᵀ) and ∂/∂𝒱 = 4 (𝒰ᵀ E 𝒰) 𝒱.
        /// </summary>
        public void Backward(double scale)
        {
            Kernels kernels = Outer.Device.Kernels;
            if (WantedGradient(Inner) is { } dinner)
            {
                if (IsLeft) kernels.MatMul(Carried, false, Gap, false, dinner, scale);
                else kernels.MatMul(Gap, false, Carried, false, dinner, scale);
                Node.Accumulate(Inner, dinner);
            }

            if (WantedGradient(Outer) is not { } douter) return;
            Tensor half = IsLeft ? Product(Inner, false, Gap, false, Inner.Shape) : Product(Gap, false, Inner, false, Inner.Shape);
            Tensor square = Product(IsLeft ? half : Inner, !IsLeft, IsLeft ? Inner : half, IsLeft, [OuterRank, OuterRank]);
            if (IsLeft) kernels.MatMul(Outer, false, square, false, douter, scale);
            else kernels.MatMul(square, false, Outer, false, douter, scale);
            Node.Accumulate(Outer, douter);
        }
    }

    private sealed class ProductOrthogonalityNode : Node
    {
        private Plane left;
        private Plane right;

        public static ProductOrthogonalityNode Of(Plane left, Plane right)
        {
            ProductOrthogonalityNode node = Take<ProductOrthogonalityNode>();
            (node.left, node.right) = (left, right);
            node.SaveAll(left);
            node.SaveAll(right);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            double g = 4 * gradient.Item();
            left.Backward(g);
            right.Backward(g);
        }

        private void SaveAll(Plane plane)
        {
            Save(plane.Outer);
            Save(plane.Inner);
            Save(plane.Carried);
            Save(plane.Gap);
        }
    }
}
