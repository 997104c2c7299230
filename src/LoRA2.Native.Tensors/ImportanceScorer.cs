namespace LoRA2.Native.Tensors;

/// <summary>Which sensitivities make up the importance of a singular value.</summary>
public enum ImportanceMode
{
    /// <summary>Equation 9: those of λ and of the inner factors; O(k) for each singular value.</summary>
    Reduced,

    /// <summary>Equation 8: the same plus those of the outer factors, a constant for all singular values of one matrix.</summary>
    Full,
}

/// <summary>A trained tensor whose sensitivities count for singular values.</summary>
/// <param name="Name">For checkpoints.</param>
/// <param name="Value">Contiguous; a vector or a matrix.</param>
/// <param name="RankAxis">The axis that numbers the singular values; null when every sensitivity counts for each of them alike.</param>
/// <param name="Divisor">What the sum of the sensitivities that count for one singular value is divided by.</param>
public sealed record ScoredFactor(string Name, Tensor Value, int? RankAxis, int Divisor);

/// <summary>
/// Importance of the singular values of one adapter (arXiv 2303.10512, equations 8 to 11; for LoRA2 arXiv 2408.06854, equations 6 to 9). For each
/// scored parameter with value w and gradient g it keeps Ī ← β1 Ī + (1 − β1)|w g| and Ū ← β2 Ū + (1 − β2)||w g| − Ī|; the sensitivity is S = Ī ∘ Ū,
/// and 𝕀_i is the sum of the sensitivities that belong to singular value i, each factor's divided by its divisor: for LoRA2
/// S(λ_i) + (1/k) Σ_j S(v_{j,i}) + (1/k) Σ_j S(𝒰_{i,j}), for AdaLoRA S(λ_i) + mean_j S(A_{i,j}) + mean_j S(B_{j,i}).
/// </summary>
public sealed class ImportanceScorer : IDisposable
{
    private readonly double beta1;
    private readonly double beta2;
    private readonly int rank;
    private readonly Average[] averages;

    /// <summary>Starts with all averages 0.</summary>
    /// <param name="factors">The scored factors, the singular values first.</param>
    /// <param name="beta1">β1.</param>
    /// <param name="beta2">β2.</param>
    /// <exception cref="ArgumentException">A scored factor is not contiguous.</exception>
    public ImportanceScorer(IReadOnlyList<ScoredFactor> factors, double beta1 = 0.85, double beta2 = 0.85)
    {
        foreach (ScoredFactor factor in factors)
        {
            if (!factor.Value.IsContiguous) throw new ArgumentException($"ImportanceScorer: factor {factor.Name} is not contiguous");
        }

        this.beta1 = beta1;
        this.beta2 = beta2;
        rank = factors[0].Value.Count;
        averages = [.. factors.Select(factor => new Average(factor))];
    }

    /// <summary>
    /// LoRA2's. Within one matrix both modes order the singular values alike; across matrices the full mode's constants differ, so a global
    /// ranking can differ.
    /// </summary>
    /// <exception cref="ArgumentException">A scored factor is not contiguous.</exception>
    public ImportanceScorer(LoRA2Factors factors, ImportanceMode mode = ImportanceMode.Reduced, double beta1 = 0.85, double beta2 = 0.85)
        : this(factors.Scored(mode), beta1, beta2)
    {
    }

    /// <summary>Elements whose averages one <see cref="Update"/> touches: for LoRA2 r + 2 k r in the reduced mode, whatever the layer's width.</summary>
    public int ElementsPerUpdate => averages.Sum(average => average.Mean.Count);

    /// <summary>The averages by name, for checkpoints: Ī and Ū of each scored factor.</summary>
    public IEnumerable<(string Name, Tensor Values)> State
    {
        get
        {
            foreach (Average average in averages)
            {
                yield return ($"{average.Factor.Name}.mean", average.Mean);
                yield return ($"{average.Factor.Name}.uncertainty", average.Uncertainty);
            }
        }
    }

    /// <summary>Takes the current values and gradients of the scored factors into the averages. A factor without gradient counts as gradient 0.</summary>
    public void Update()
    {
        foreach (Average average in averages)
        {
            Tensor weight = average.Factor.Value;
            using var scope = new TensorScope();
            Tensor gradient = weight.Grad ?? Tensor.Zeros(weight.Shape, weight.DType);
            weight.Device.Kernels.UpdateSensitivity(weight, gradient, beta1, beta2, average.Mean, average.Uncertainty);
        }
    }

    /// <summary>𝕀_i for i = 0 … r − 1.</summary>
    public double[] Scores()
    {
        double[] scores = new double[rank];
        Scores(scores);
        return scores;
    }

    /// <summary>Writes 𝕀_i for i = 0 … r − 1.</summary>
    /// <exception cref="ArgumentException">There is not room for r numbers.</exception>
    public void Scores(Span<double> scores)
    {
        if (scores.Length != rank) throw new ArgumentException($"ImportanceScorer: room for {scores.Length} scores was given for {rank} singular values");
        scores.Clear();
        foreach (Average average in averages)
        {
            if (average.Mean.Count == 0) continue;
            using var scope = new TensorScope();
            ReadOnlySpan<double> sensitivities = Sensitivities(average);
            int divisor = average.Factor.Divisor;
            int each = sensitivities.Length / Math.Max(rank, 1);
            double all = 0;
            if (average.Factor.RankAxis is null)
            {
                foreach (double sensitivity in sensitivities) all += sensitivity;
            }

            for (int i = 0; i < rank; i++)
            {
                double sum = all;
                for (int j = 0; j < each && average.Factor.RankAxis is { } axis; j++) sum += sensitivities[axis == 0 ? (i * each) + j : (j * rank) + i];
                scores[i] += sum / divisor;
            }
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

    /// <summary>Ī ∘ Ū, as long as the current scope is open.</summary>
    private static ReadOnlySpan<double> Sensitivities(Average average)
    {
        Tensor product = Tensor.Empty(average.Mean.Shape, DType.Float64);
        product.Device.Kernels.Multiply(average.Mean.To(DType.Float64), average.Uncertainty.To(DType.Float64), product);
        return product.AsSpan<double>();
    }

    private sealed class Average(ScoredFactor factor)
    {
        public ScoredFactor Factor => factor;

        public Tensor Mean { get; } = Detached(factor.Value);

        public Tensor Uncertainty { get; } = Detached(factor.Value);

        private static Tensor Detached(Tensor like)
        {
            using var scope = new TensorScope();
            return scope.Detach(Tensor.Zeros(like.Shape, like.DType));
        }
    }
}
