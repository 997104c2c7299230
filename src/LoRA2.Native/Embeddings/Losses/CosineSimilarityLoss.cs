using LoRA2.Native.Tensors;

namespace LoRA2.Native.Embeddings.Losses;

/// <summary>The mean squared error of a pair's cosine against its score (Sentence-BERT, arXiv 1908.10084, section 3).</summary>
public sealed record CosineSimilarityLoss : EmbeddingLoss
{
    /// <inheritdoc/>
    public override string Name => "cosine";

    /// <inheritdoc/>
    public override bool NeedsScores => true;

    /// <inheritdoc/>
    public override Tensor Of(IReadOnlyList<Tensor> texts, Tensor targets) => Ops.MeanSquaredError(Similarities.OfRows(texts[0], texts[1]), targets);
}
