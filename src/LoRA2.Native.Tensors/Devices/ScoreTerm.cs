using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Tensors.Devices;

/// <summary>
/// What one scored factor adds to the importances of an <see cref="ImportanceScorer"/>: to 𝕀_i the sum of S = Ī ∘ Ū over its elements i · Next + j · Along,
/// j = 0 … Length − 1, divided by the divisor.
/// </summary>
/// <param name="Average">Ī.</param>
/// <param name="Uncertainty">Ū.</param>
/// <param name="Length">Elements that count for one singular value; 1 at least.</param>
/// <param name="Along">From one of them to the next.</param>
/// <param name="Next">From those of one singular value to those of the next; 0 when all elements count for each alike.</param>
/// <param name="Divisor">The divisor.</param>
internal readonly record struct ScoreTerm(Tensor Average, Tensor Uncertainty, int Length, int Along, int Next, int Divisor)
{
    public static ScoreTerm Of(ScoredFactor factor, in Sensitivity sensitivity, int rank)
    {
        int each = factor.Value.Count / Math.Max(rank, 1);
        (int length, int along, int next) = factor.RankAxis switch
        {
            null => (factor.Value.Count, 1, 0),
            0 => (each, 1, each),
            _ => (each, rank, 1),
        };
        return new(sensitivity.Average, sensitivity.Uncertainty, length, along, next, factor.Divisor);
    }
}
