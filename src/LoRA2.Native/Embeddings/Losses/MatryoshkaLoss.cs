using LoRA2.Native.Tensors;

namespace LoRA2.Native.Embeddings.Losses;

/// <summary>Another loss of the vectors' first dimensions, of several numbers of them, summed, so that cut vectors serve too (arXiv 2205.13147).</summary>
/// <param name="Inner">The loss.</param>
/// <param name="Dimensions">The numbers of dimensions.</param>
public sealed record MatryoshkaLoss(EmbeddingLoss Inner, IReadOnlyList<int> Dimensions) : EmbeddingLoss
{
    /// <inheritdoc/>
    public override string Name => Inner.Name;

    /// <inheritdoc/>
    public override bool NeedsScores => Inner.NeedsScores;

    /// <inheritdoc/>
    public override bool IsBinary => Inner.IsBinary;

    /// <inheritdoc/>
    public override int LeastTexts => Inner.LeastTexts;

    /// <inheritdoc/>
    public override int MostTexts => Inner.MostTexts;

    /// <inheritdoc/>
    public override bool ReadsValues => Inner.ReadsValues;

    /// <inheritdoc/>
    public override Tensor Targets(ReadOnlySpan<float> scores, int examples, DType dtype = DType.Float32) => Inner.Targets(scores, examples, dtype);

    /// <inheritdoc/>
    public override Tensor Of(IReadOnlyList<Tensor> texts, Tensor targets) =>
        Dimensions.Select(count => Inner.Of([.. texts.Select(text => Ops.Slice(text, 1, 0, count))], targets)).Aggregate(Ops.Add);
}
