using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>AdaLoRA's orthogonality loss (arXiv 2303.10512, equation 4, without the square, as its authors compute it).</content>
public static partial class Ops
{
    /// <summary>
    /// The mean over all matrices of ‖LᵀL − I‖_F and ‖R Rᵀ − I‖_F for pairs of L [m, a] and R [b, n]. Rank 0. Where a norm is 0 it has no gradient; 0 is taken.
    /// </summary>
    /// <exception cref="ArgumentException">There is no pair, an operand is not a matrix, or types differ.</exception>
    public static Tensor OrthogonalityNorm(params ReadOnlySpan<(Tensor Left, Tensor Right)> pairs)
    {
        if (pairs.IsEmpty) throw new ArgumentException("OrthogonalityNorm: there are no matrices");
        OrthogonalityNode node = OrthogonalityNode.Of(norms: true, 0.5 / pairs.Length);
        foreach ((Tensor left, Tensor right) in pairs)
        {
            RequireSameType("OrthogonalityNorm", pairs[0].Left, left, right);
            if (left.Shape.Rank != 2 || right.Shape.Rank != 2)
                throw new ArgumentException($"OrthogonalityNorm: operands of shapes {left.Shape} and {right.Shape} must be matrices");
            node.Add(new OrthogonalityPlane(Contiguous(left), null, IsLeft: true, OfFactors: true, OfProduct: false));
            node.Add(new OrthogonalityPlane(Contiguous(right), null, IsLeft: false, OfFactors: true, OfProduct: false));
        }

        return node.Loss(pairs[0].Left);
    }
}
