namespace LoRA2.Native.Tensors.RandomNumbers;

/// <summary>
/// Which elements a dropout drops: a pure function of these four values and the element's index (Philox4x32-10), the same on every backend,
/// for every thread count, and again in the backward pass, so no mask is ever stored.
/// </summary>
/// <param name="Probability">Chance of an element to be dropped, 0 ≤ p &lt; 1; 0 drops nothing.</param>
/// <param name="Seed">The run's seed.</param>
/// <param name="Step">The training step (of micro-batches).</param>
/// <param name="Op">Which dropout of the step this is.</param>
public readonly record struct DropoutMask(double Probability, ulong Seed, uint Step, uint Op)
{
    /// <summary>
    /// [rows] Int64, or null: row r of the tensor, of as many elements as its last axis has, is row Rows[r] of the whole whose elements are counted. So rows picked from a whole drop
    /// what they would drop in their places. On the CPU alone.
    /// </summary>
    public Tensor? Rows { get; init; }

    /// <summary>Drops nothing.</summary>
    public static DropoutMask None => default;

    /// <summary>The smallest word that keeps an element.</summary>
    internal uint Threshold => ThresholdOf(Probability);

    /// <summary>The words that decide.</summary>
    internal Philox Random => new(Seed, Step, Op);

    /// <summary>The smallest word that keeps an element dropped with this probability.</summary>
    internal static uint ThresholdOf(double probability) => (uint)Math.Min(Math.Ceiling(probability * 4294967296.0), uint.MaxValue);
}
