using LoRA2.Native.Tensors;

namespace LoRA2.Native.Embeddings.Losses;

/// <summary>
/// Each anchor is to be nearer to its own positive than to everybody else's, and than to every hard negative of the batch: the mean cross-entropy of scale · similarity(anchor, candidate),
/// where the candidates are all positives and then all hard negatives (arXiv 1705.00652, section 4.4; InfoNCE). An example is an anchor, a positive and any number of negatives.
/// </summary>
public sealed record MultipleNegativesRankingLoss : EmbeddingLoss
{
    /// <inheritdoc/>
    public override string Name => IsSymmetric ? "symmetric-ranking" : "ranking";

    /// <summary>Factor of the similarities, the inverse of a temperature.</summary>
    public double Scale { get; init; } = 20;

    /// <summary>What nearness is.</summary>
    public Similarity Similarity { get; init; } = Similarity.Cosine;

    /// <summary>Whether positives look for their anchors too, and the loss is the mean of both.</summary>
    public bool IsSymmetric { get; init; }

    /// <inheritdoc/>
    public override int MostTexts => int.MaxValue;

    /// <summary>Each anchor's own positive, [examples] Int32.</summary>
    public override Tensor Targets(ReadOnlySpan<float> scores, int examples, DType dtype = DType.Float32) => Numbers(examples);

    /// <inheritdoc/>
    public override Tensor Of(IReadOnlyList<Tensor> texts, Tensor targets)
    {
        Tensor[] candidates = [.. texts.Skip(1)];
        Tensor logits = Ops.Scale(Similarities.OfAll(texts[0], candidates.Length == 1 ? candidates[0] : Ops.Concat(0, candidates), Similarity), Scale);
        Tensor forward = Ops.CrossEntropy(logits, targets);
        if (!IsSymmetric) return forward;
        Tensor backward = Ops.CrossEntropy(Ops.Transpose(Ops.Slice(logits, 1, 0, targets.Count)), targets);
        return Ops.Scale(Ops.Add(forward, backward), 0.5);
    }
}
