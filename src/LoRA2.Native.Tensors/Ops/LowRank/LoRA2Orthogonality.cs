using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Tensors;

/// <content>The orthogonality losses of LoRA2 (arXiv 2408.06854, equation 5).</content>
public static partial class Ops
{
    /// <summary>
    /// The mean over adapters of the chosen ones of R(u, v) = ‖uᵀu − I‖²_F + ‖vvᵀ − I‖²_F, R(𝒰, 𝒱) = ‖𝒰ᵀ𝒰 − I‖²_F + ‖𝒱𝒱ᵀ − I‖²_F and
    /// R(P, Q) = ‖PᵀP − I‖²_F + ‖QQᵀ − I‖²_F, the last computed as vᵀ(uᵀu)v and 𝒰(𝒱𝒱ᵀ)𝒰ᵀ without forming P = u v or Q = 𝒰 𝒱. Rank 0. With n inputs or outputs,
    /// R(u, v) and R(𝒰, 𝒱) are never below max(k − n, 0) + max(k − r, 0), R(P, Q) not below 2 max(r − k, 0). λ plays no part.
    /// </summary>
    /// <exception cref="ArgumentException">There is no adapter, types differ, or an adapter's factors don't fit each other.</exception>
    public static Tensor LoRA2Orthogonality(ReadOnlySpan<LoRA2Factors> adapters, OrthogonalityKind kind)
    {
        if (adapters.IsEmpty) throw new ArgumentException("LoRA2Orthogonality: there are no adapters");
        OrthogonalityNode node = OrthogonalityNode.Of(norms: false, 1.0 / adapters.Length);
        bool ofProduct = (kind & OrthogonalityKind.Products) != 0;
        foreach (LoRA2Factors factors in adapters)
        {
            factors.Require();
            RequireSameType("LoRA2Orthogonality", adapters[0].OuterLeft, factors.OuterLeft, factors.InnerLeft, factors.InnerRight, factors.OuterRight);
            LoRA2Factors ordered = factors.InOrder();
            bool left = (kind & OrthogonalityKind.Left) != 0, right = (kind & OrthogonalityKind.Right) != 0;
            if (left || ofProduct) node.Add(new OrthogonalityPlane(ordered.OuterLeft, ordered.InnerLeft, IsLeft: true, left, ofProduct));
            if (right || ofProduct) node.Add(new OrthogonalityPlane(ordered.OuterRight, ordered.InnerRight, IsLeft: false, right, ofProduct));
        }

        return node.Loss(adapters[0].OuterLeft);
    }
}
