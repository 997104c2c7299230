namespace LoRA2.Native.Tensors.Devices;

/// <summary>
/// One side of an adapter's update, as an orthogonality loss sees it: u and v, P = u v, on the left; 𝒱 and 𝒰, Q = 𝒰 𝒱, on the right.
/// </summary>
/// <param name="Outer">u [in, k] on the left, 𝒱 [k, out] on the right.</param>
/// <param name="Inner">v [k, r] on the left, 𝒰 [r, k] on the right; null when the plane has one matrix.</param>
/// <param name="IsLeft">Which side.</param>
/// <param name="OfFactors">Whether ‖uᵀu − I‖² + ‖vvᵀ − I‖² is wanted (on the right ‖𝒱𝒱ᵀ − I‖² + ‖𝒰ᵀ𝒰 − I‖²).</param>
/// <param name="OfProduct">Whether ‖PᵀP − I‖² is (on the right ‖QQᵀ − I‖²).</param>
internal readonly record struct OrthogonalityPlane(Tensor Outer, Tensor? Inner, bool IsLeft, bool OfFactors, bool OfProduct)
{
    /// <summary>k.</summary>
    public int OuterRank => Outer.Shape[IsLeft ? 1 : 0];

    /// <summary>r, 0 without an inner matrix.</summary>
    public int Rank => Inner is null ? 0 : Inner.Shape[IsLeft ? 1 : 0];
}

/// <summary>Where the gradients of a plane's matrices are added to; null when not wanted.</summary>
/// <param name="Outer">A plane of the outer matrix's shape.</param>
/// <param name="Inner">A plane of the inner matrix's shape.</param>
internal readonly record struct OrthogonalityGradients(Tensor? Outer, Tensor? Inner);
