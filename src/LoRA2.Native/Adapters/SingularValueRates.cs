namespace LoRA2.Native.Adapters;

/// <summary>How fast singular values that start at 0 have to move for a layer's result to change as fast as with LoRA.</summary>
/// <remarks>
/// AdamW moves every element with a gradient by the learning rate η in the first step, whatever the gradient's scale. LoRA's B (r × out) becomes ±η, and with A's rows of
/// norm 1/√3 an input x in the direction that inputs share changes the result by s η ‖A x‖₁ √out, about s η ‖x‖ r √(2 out / (3 π in)). Of Δ = s P Λ Q with Λ = 0 only λ
/// has a gradient: with orthonormal P and Q the result changes by s η ‖Pᵀx‖ = s η ‖x‖ √(r / in), √out times less. bench/results/first-steps.md has the derivation and what
/// is measured.
/// </remarks>
public static class SingularValueRates
{
    /// <summary>What the option calls <see cref="Matching"/>.</summary>
    internal const string Matched = "matched";

    internal const string OptionName = "singular-value-rate";

    internal const string OptionDescription = "factor of the learning rate of singular values; matched: the first step does as much as LoRA's";

    /// <summary>
    /// ρ, the factor of λ's learning rate with which the first step of Δ = s P Λ Q from orthonormal P and Q changes the layer's result as much as LoRA's with the same rank,
    /// scale and learning rate: r √(2 out / (3 π)) / ‖P Λ Q‖ for λ of ±1.
    /// </summary>
    /// <param name="outputs">Width of the layer's result.</param>
    /// <param name="rank">r, the number of singular values.</param>
    /// <param name="outerRank">k, the rank of P and Q at most.</param>
    public static double Matching(int outputs, int rank, int outerRank) => rank * Math.Sqrt(2.0 * outputs / (3 * Math.PI)) / UnitLength(rank, outerRank);

    /// <summary>
    /// ‖P Λ Q‖_F of orthonormal factors and singular values ±1 with the signs that descend: √r where k ≥ r. With k &lt; r the r columns of P and rows of Q share k
    /// directions, and the square is about k² / r + (4 / π²) (1 − 1 / r): exact on the average for k = 1, within a tenth else.
    /// </summary>
    public static double UnitLength(int rank, int outerRank) =>
        Math.Sqrt(outerRank >= rank ? rank : ((double)outerRank * outerRank / rank) + (4 / (Math.PI * Math.PI) * (1 - (1.0 / rank))));
}
