using LoRA2.Native.Tensors;

namespace LoRA2.Native.Embeddings.Losses;

/// <summary>
/// Pairs marked 1 are to be near, those marked 0 at least a margin apart: the mean of ½ (y d² + (1 − y) max(0, margin − d)²), with d = 1 − cos (Hadsell, Chopra and LeCun, 2006, equation 4).
/// </summary>
public sealed record ContrastiveLoss : EmbeddingLoss
{
    /// <inheritdoc/>
    public override string Name => "contrastive";

    /// <summary>How far apart is enough.</summary>
    public double Margin { get; init; } = 0.5;

    /// <inheritdoc/>
    public override bool NeedsScores => true;

    /// <inheritdoc/>
    public override bool IsBinary => true;

    /// <inheritdoc/>
    public override Tensor Of(IReadOnlyList<Tensor> texts, Tensor targets)
    {
        Tensor distance = CosineDistance(texts[0], texts[1]);
        Tensor missing = Ops.Relu(Plus(Ops.Scale(distance, -1), Margin));
        Tensor alike = Ops.Multiply(targets, Ops.Multiply(distance, distance));
        Tensor apart = Ops.Multiply(Plus(Ops.Scale(targets, -1), 1), Ops.Multiply(missing, missing));
        return Ops.Scale(Ops.Mean(Ops.Add(alike, apart)), 0.5);
    }
}
