using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.LowRank;

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
    private readonly ScoredFactor[] factors;
    private readonly Sensitivity[] sensitivities;
    private readonly ScoreTerm[] terms;

    /// <summary>Starts with all averages 0.</summary>
    /// <param name="factors">The scored factors, the singular values first.</param>
    /// <param name="beta1">β1.</param>
    /// <param name="beta2">β2.</param>
    /// <exception cref="ArgumentException">A scored factor is not contiguous.</exception>
    public ImportanceScorer(IReadOnlyList<ScoredFactor> factors, double beta1 = 0.85, double beta2 = 0.85)
    {
        ArgumentNullException.ThrowIfNull(factors);
        foreach (ScoredFactor factor in factors)
        {
            if (!factor.Value.IsContiguous) throw new ArgumentException($"ImportanceScorer: factor {factor.Name} is not contiguous");
        }

        this.factors = [.. factors];
        Rank = factors[0].Value.Count;
        sensitivities = [.. factors.Select(factor => new Sensitivity(factor.Value, Detached(factor.Value), Detached(factor.Value), beta1, beta2))];
        terms = [.. factors.Zip(sensitivities).Where(pair => pair.First.Value.Count > 0).Select(pair => ScoreTerm.Of(pair.First, pair.Second, Rank))];
    }

    /// <summary>
    /// LoRA2's. Within one matrix both modes order the singular values alike; across matrices the full mode's constants differ, so a global
    /// ranking can differ.
    /// </summary>
    /// <exception cref="ArgumentException">A scored factor is not contiguous.</exception>
    public ImportanceScorer(LoRA2Factors factors, ImportanceMode mode = ImportanceMode.Reduced, double beta1 = 0.85, double beta2 = 0.85)
        : this((factors ?? throw new ArgumentNullException(nameof(factors))).Scored(mode), beta1, beta2)
    {
    }

    /// <summary>r, the number of singular values.</summary>
    public int Rank { get; }

    /// <summary>Elements whose averages one <see cref="Update"/> touches: for LoRA2 r + 2 k r in the reduced mode, whatever the layer's width.</summary>
    public int ElementsPerUpdate => sensitivities.Sum(sensitivity => sensitivity.Weight.Count);

    /// <summary>The averages of each scored factor, for an optimiser that updates them with the weights.</summary>
    internal ReadOnlySpan<Sensitivity> Sensitivities => sensitivities;

    /// <summary>The averages by name, for checkpoints: Ī and Ū of each scored factor.</summary>
    public IEnumerable<(string Name, Tensor Values)> State
    {
        get
        {
            for (int i = 0; i < factors.Length; i++)
            {
                yield return ($"{factors[i].Name}.mean", sensitivities[i].Average);
                yield return ($"{factors[i].Name}.uncertainty", sensitivities[i].Uncertainty);
            }
        }
    }

    /// <summary>What the factors that have elements add to the scores, in their order.</summary>
    internal ReadOnlySpan<ScoreTerm> Terms => terms;

    /// <summary>Takes the current values and gradients of the scored factors into the averages. A factor without gradient counts as gradient 0.</summary>
    public void Update()
    {
        foreach (Sensitivity sensitivity in sensitivities) sensitivity.Update();
    }

    /// <summary>𝕀_i for i = 0 … r − 1.</summary>
    public double[] Scores()
    {
        double[] scores = new double[Rank];
        Scores([this], scores);
        return scores;
    }

    /// <summary>Writes the 𝕀_i of many scorers, one scorer after the other; their averages are on one device, which is read once.</summary>
    /// <exception cref="ArgumentException">There is not room for exactly the scorers' numbers.</exception>
    public static void Scores(ReadOnlySpan<ImportanceScorer> scorers, Span<double> scores)
    {
        int total = 0;
        foreach (ImportanceScorer scorer in scorers) total += scorer.Rank;
        if (scores.Length != total) throw new ArgumentException($"ImportanceScorer: room for {scores.Length} scores was given for {total} singular values");
        if (total == 0) return;
        using var scope = new TensorScope();
        Device device = scorers[0].sensitivities[0].Average.Device;
        Tensor values = Tensor.Empty([total], DType.Float64, device);
        device.Kernels.ImportanceScores(scorers, values);
        values.Read(scores);
    }

    /// <summary>Frees the averages.</summary>
    public void Dispose()
    {
        foreach (Sensitivity sensitivity in sensitivities)
        {
            sensitivity.Average.Dispose();
            sensitivity.Uncertainty.Dispose();
        }
    }

    private static Tensor Detached(Tensor like)
    {
        using var scope = new TensorScope();
        return scope.Detach(Tensor.Zeros(like.Shape, like.DType, like.Device));
    }
}
