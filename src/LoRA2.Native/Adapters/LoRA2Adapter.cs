using LoRA2.Native.Tensors;

namespace LoRA2.Native.Adapters;

/// <summary>
/// LoRA2 (arXiv 2408.06854): y += s ((x u) v Λ 𝒰) 𝒱 with u [in, k], v [k, r], 𝒰 [r, k], 𝒱 [k, out] Gaussian, λ [r] zero and s = alpha / r.
/// </summary>
/// <remarks>
/// Where the authors' code departs from the paper the paper is followed: any k (theirs is 8), cost O(k d) (theirs forms Δ, O(d²)), a merge that
/// adds the product (theirs multiplies element by element). Files name the tensors as their code does: lora_A = uᵀ, lora_B = vᵀ, lora_E = λ as a
/// column, lora_aa = 𝒰ᵀ, lora_bb = 𝒱ᵀ.
/// </remarks>
public sealed class LoRA2Adapter : Adapter
{
    /// <summary>What a file calls the factors, in the order of <see cref="LoRA2Factors"/>.</summary>
    internal static readonly string[] PeftSuffixes = ["lora_A", "lora_B", "lora_E", "lora_aa", "lora_bb"];

    private static readonly string[] PartNames = ["u", "v", "lam", "U", "V"];

    /// <summary>Takes over the factors. The scale is alpha over <paramref name="initialRank"/>, which pruning does not change.</summary>
    public LoRA2Adapter(string module, LoRA2Factors factors, double alpha, int initialRank)
    {
        Module = module;
        Factors = factors;
        Parameters = [.. factors.Zip(PartNames, (factor, part) => Trained($"{module}.{part}", factor))];
        Scale = alpha / Math.Max(initialRank, 1);
    }

    /// <summary>The layer's name.</summary>
    public string Module { get; }

    /// <summary>The five tensors.</summary>
    public LoRA2Factors Factors { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public override double Scale { get; }

    internal override bool KeepsNothing => true;

    /// <summary>Singular values that are not 0.</summary>
    public int EffectiveRank => Factors.SingularValues.Count - Factors.SingularValues.AsSpan<float>().Count(0f);

    /// <summary>A fresh adapter: Δ = 0.</summary>
    /// <param name="module">The layer's name.</param>
    /// <param name="inputs">d_in.</param>
    /// <param name="outputs">d_out.</param>
    /// <param name="outerRank">k.</param>
    /// <param name="rank">r.</param>
    /// <param name="alpha">The scale is alpha / r.</param>
    /// <param name="deviation">σ of the Gaussian factors.</param>
    /// <param name="random">Where their values come from.</param>
    public static LoRA2Adapter Create(string module, int inputs, int outputs, int outerRank, int rank, double alpha, double deviation, Philox random)
    {
        Tensor all = Tensor.Empty([(inputs * outerRank) + (2 * outerRank * rank) + (outerRank * outputs)]);
        random.FillNormal(all.AsSpan<float>(), 0, (float)deviation);
        int start = 0;
        Tensor Next(int rows, int columns)
        {
            Tensor part = Tensor.From((ReadOnlySpan<float>)all.AsSpan<float>().Slice(start, rows * columns), [rows, columns]);
            start += rows * columns;
            return part;
        }

        var factors = new LoRA2Factors(Next(inputs, outerRank), Next(outerRank, rank), Tensor.Zeros([rank]), Next(rank, outerRank), Next(outerRank, outputs));
        all.Dispose();
        return new LoRA2Adapter(module, factors, alpha, rank);
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor weight, Tensor bias) => Ops.LoRA2Linear(x, weight, bias, Factors, Scale);

    /// <summary>The regulariser R of the chosen kind, rank 0 (equation 5).</summary>
    public Tensor Regulariser(OrthogonalityKind kind)
    {
        (Tensor u, Tensor v, _, Tensor innerRight, Tensor outerRight) = Factors;
        Tensor? sum = null;
        void Plus(Tensor term) => sum = sum is null ? term : Ops.Add(sum, term);
        if ((kind & OrthogonalityKind.Left) != 0) Plus(Ops.Orthogonality(u, v));
        if ((kind & OrthogonalityKind.Right) != 0) Plus(Ops.Orthogonality(innerRight, outerRight));
        if ((kind & OrthogonalityKind.Products) != 0) Plus(Ops.ProductOrthogonality(u, v, innerRight, outerRight));
        return sum ?? Tensor.Zeros([], u.DType);
    }

    /// <inheritdoc/>
    public override Tensor Delta()
    {
        Tensor left = Ops.MatMul(Factors.OuterLeft, Ops.Multiply(Factors.InnerLeft, Factors.SingularValues));
        Tensor right = Ops.MatMul(Factors.InnerRight, Factors.OuterRight);
        return Ops.Scale(Ops.Contiguous(Ops.Transpose(Ops.MatMul(left, right))), Scale);
    }

    /// <inheritdoc/>
    public override IEnumerable<(string Suffix, Tensor Value)> ToPeft()
    {
        int i = 0;
        foreach (Tensor factor in Factors)
        {
            Tensor stored = factor.Shape.Rank == 1 ? Ops.Reshape(factor, factor.Count, 1) : Ops.Contiguous(Ops.Transpose(factor));
            yield return (PeftSuffixes[i++], stored);
        }
    }
}
