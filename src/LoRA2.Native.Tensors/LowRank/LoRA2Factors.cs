using System.Collections;

namespace LoRA2.Native.Tensors.LowRank;

/// <summary>
/// The five tensors of one LoRA2 adapter (arXiv 2408.06854): Δ = u v diag(λ) 𝒰 𝒱. Names in the paper and the authors' code beside each.
/// </summary>
/// <param name="OuterLeft">u, [in, k] (lora_A transposed).</param>
/// <param name="InnerLeft">v, [k, r] (lora_B transposed).</param>
/// <param name="SingularValues">λ, [r] (lora_E).</param>
/// <param name="InnerRight">𝒰, [r, k] (lora_aa transposed).</param>
/// <param name="OuterRight">𝒱, [k, out] (lora_bb transposed).</param>
public sealed record LoRA2Factors(Tensor OuterLeft, Tensor InnerLeft, Tensor SingularValues, Tensor InnerRight, Tensor OuterRight) : IEnumerable<Tensor>
{
    /// <summary>k, the rank of the outer factors.</summary>
    public int OuterRank => OuterLeft.Shape[1];

    /// <summary>r, the number of singular values.</summary>
    public int Rank => SingularValues.Count;

    /// <summary>Number of trained values: k (in + out) + 2 k r + r.</summary>
    public int ParameterCount => this.Sum(factor => factor.Count);

    /// <inheritdoc/>
    public IEnumerator<Tensor> GetEnumerator()
    {
        yield return OuterLeft;
        yield return InnerLeft;
        yield return SingularValues;
        yield return InnerRight;
        yield return OuterRight;
    }

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>What the importance of a singular value is made of (equations 8 and 9).</summary>
    public IReadOnlyList<ScoredFactor> Scored(ImportanceMode mode)
    {
        ScoredFactor[] inner = [new("lambda", SingularValues, 0, 1), new("v", InnerLeft, 1, OuterRank), new("U", InnerRight, 0, OuterRank)];
        return mode == ImportanceMode.Reduced ? inner : [.. inner, new("u", OuterLeft, null, OuterRank), new("V", OuterRight, null, OuterRank)];
    }

    /// <summary>The same factors, each with its elements in order.</summary>
    internal LoRA2Factors InOrder()
    {
        bool inOrder = OuterLeft.IsContiguous && InnerLeft.IsContiguous && SingularValues.IsContiguous && InnerRight.IsContiguous && OuterRight.IsContiguous;
        return inOrder ? this : new LoRA2Factors(
            Ops.Contiguous(OuterLeft), Ops.Contiguous(InnerLeft), Ops.Contiguous(SingularValues), Ops.Contiguous(InnerRight), Ops.Contiguous(OuterRight));
    }

    /// <summary>Refuses factors that don't fit each other.</summary>
    internal void Require()
    {
        if (!FitEachOther())
            throw new ArgumentException($"LoRA2: factors {Described()} don't fit each other");
    }

    /// <summary>Refuses factors that don't fit a layer.</summary>
    internal void Require(int inputs, int outputs)
    {
        if (!FitEachOther() || OuterLeft.Shape[0] != inputs || OuterRight.Shape[1] != outputs)
            throw new ArgumentException($"LoRA2: factors {Described()} don't fit a layer of {inputs} inputs and {outputs} outputs");
    }

    private bool FitEachOther() =>
        OuterLeft.Shape.Rank == 2 && InnerLeft.Shape.Rank == 2 && SingularValues.Shape.Rank == 1 && InnerRight.Shape.Rank == 2 && OuterRight.Shape.Rank == 2
        && InnerLeft.Shape == [OuterRank, Rank] && InnerRight.Shape == [Rank, OuterRank] && OuterRight.Shape[0] == OuterRank;

    private string Described() => $"u {OuterLeft.Shape}, v {InnerLeft.Shape}, λ {SingularValues.Shape}, U {InnerRight.Shape}, V {OuterRight.Shape}";
}
