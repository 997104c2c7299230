namespace LoRA2.Native.Tensors;

/// <summary>Which sensitivities make up the importance of a singular value.</summary>
public enum ImportanceMode
{
    /// <summary>Equation 9: those of λ and of the inner factors; O(k) for each singular value.</summary>
    Reduced,

    /// <summary>Equation 8: the same plus those of the outer factors, a constant for all singular values of one matrix.</summary>
    Full,
}

/// <summary>
/// Importance of the singular values of one LoRA2 adapter (arXiv 2408.06854, equations 6 to 9). For each scored parameter with value w and gradient
/// g it keeps Ī ← β1 Ī + (1 − β1)|w g| and Ū ← β2 Ū + (1 − β2)||w g| − Ī|; the sensitivity is S = Ī ∘ Ū, and
/// 𝕀_i = S(λ_i) + (1/k) Σ_j S(v_{j,i}) + (1/k) Σ_j S(𝒰_{i,j}). Within one matrix both modes order the singular values alike; across matrices the full
/// mode's constants differ, so a global ranking can differ.
/// </summary>
public sealed class ImportanceScorer : IDisposable
{
    private readonly LoRA2Factors factors;
    private readonly double beta1;
    private readonly double beta2;
    private readonly List<Average> averages = [];

    /// <summary>Starts with all averages 0.</summary>
    /// <exception cref="ArgumentException">A scored factor is not contiguous.</exception>
    public ImportanceScorer(LoRA2Factors factors, ImportanceMode mode = ImportanceMode.Reduced, double beta1 = 0.85, double beta2 = 0.85)
    {
        this.factors = factors;
        this.beta1 = beta1;
        this.beta2 = beta2;
        Mode = mode;
        Score("lambda", factors.SingularValues);
        Score("v", factors.InnerLeft);
        Score("U", factors.InnerRight);
        if (mode == ImportanceMode.Reduced) return;
        Score("u", factors.OuterLeft);
        Score("V", factors.OuterRight);
    }

    /// <summary>Which sensitivities count.</summary>
    public ImportanceMode Mode { get; }

    /// <summary>Elements whose averages one <see cref="Update"/> touches: r + 2 k r in the reduced mode, whatever the layer's width.</summary>
    public int ElementsPerUpdate => averages.Sum(average => average.Mean.Count);

    /// <summary>The averages by name, for checkpoints: Ī and Ū of each scored factor.</summary>
    public IEnumerable<(string Name, Tensor Values)> State
    {
        get
        {
            foreach (Average average in averages)
            {
                yield return ($"{average.Name}.mean", average.Mean);
                yield return ($"{average.Name}.uncertainty", average.Uncertainty);
            }
        }
    }

    /// <summary>Takes the current values and gradients of the scored factors into the averages. A factor without gradient counts as gradient 0.</summary>
    public void Update()
    {
        foreach (Average average in averages)
        {
            Tensor weight = average.Weight;
            using var scope = new TensorScope();
            Tensor gradient = weight.Grad ?? Tensor.Zeros(weight.Shape, weight.DType);
            weight.Device.Kernels.UpdateSensitivity(weight, gradient, beta1, beta2, average.Mean, average.Uncertainty);
        }
    }

    /// <summary>𝕀_i for i = 0 … r − 1.</summary>
    public double[] Scores()
    {
        double[] scores = new double[factors.Rank];
        Scores(scores);
        return scores;
    }

    /// <summary>Writes 𝕀_i for i = 0 … r − 1.</summary>
    /// <exception cref="ArgumentException">There is not room for r numbers.</exception>
    public void Scores(Span<double> scores)
    {
        if (scores.Length != factors.Rank) throw new ArgumentException($"ImportanceScorer: room for {scores.Length} scores was given for {factors.Rank} singular values");
        using var scope = new TensorScope();
        int k = factors.OuterRank;
        Sensitivities(averages[0]).CopyTo(scores);
        if (k == 0) return;
        ReadOnlySpan<double> left = Sensitivities(averages[1]);
        ReadOnlySpan<double> right = Sensitivities(averages[2]);
        double constant = 0;
        for (int outer = 3; outer < averages.Count; outer++)
        {
            double ofFactor = 0;
            foreach (double sensitivity in Sensitivities(averages[outer])) ofFactor += sensitivity;
            constant += ofFactor;
        }

        constant /= k;
        for (int i = 0; i < scores.Length; i++)
        {
            double sum = 0;
            for (int j = 0; j < k; j++) sum += left[(j * scores.Length) + i] + right[(i * k) + j];
            scores[i] += (sum / k) + constant;
        }
    }

    /// <summary>Frees the averages.</summary>
    public void Dispose()
    {
        foreach (Average average in averages)
        {
            average.Mean.Dispose();
            average.Uncertainty.Dispose();
        }
    }

    private void Score(string name, Tensor factor)
    {
        if (!factor.IsContiguous) throw new ArgumentException($"ImportanceScorer: factor {name} is not contiguous");
        averages.Add(new Average(name, factor));
    }

    /// <summary>Ī ∘ Ū, as long as the current scope is open.</summary>
    private static ReadOnlySpan<double> Sensitivities(Average average)
    {
        Tensor product = Tensor.Empty(average.Mean.Shape, DType.Float64);
        product.Device.Kernels.Multiply(average.Mean.To(DType.Float64), average.Uncertainty.To(DType.Float64), product);
        return product.AsSpan<double>();
    }

    private sealed record Average(string Name, Tensor Weight)
    {
        public Tensor Mean { get; } = Detached(Weight);

        public Tensor Uncertainty { get; } = Detached(Weight);

        private static Tensor Detached(Tensor like)
        {
            using var scope = new TensorScope();
            return scope.Detach(Tensor.Zeros(like.Shape, like.DType));
        }
    }
}
