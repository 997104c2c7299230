using LoRA2.Native.Tensors;

namespace LoRA2.Native.Embeddings.Losses;

/// <summary>
/// The positive is to be nearer than the negative by a margin: the mean of max(0, d(anchor, positive) − d(anchor, negative) + margin), with d the Euclidean distance or 1 − cos
/// (Sentence-BERT, arXiv 1908.10084, section 3).
/// </summary>
public sealed record TripletLoss : EmbeddingLoss
{
    /// <summary>PyTorch's <c>pairwise_distance</c> adds it to every difference.</summary>
    private const double Offset = 1e-6;

    /// <inheritdoc/>
    public override string Name => IsCosine ? "cosine-triplet" : "triplet";

    /// <summary>Whether the distance is 1 − cos.</summary>
    public bool IsCosine { get; init; }

    /// <summary>By how much.</summary>
    public double Margin { get; init; } = 5;

    /// <inheritdoc/>
    public override int LeastTexts => 3;

    /// <inheritdoc/>
    public override int MostTexts => 3;

    /// <summary>Nothing but the number of examples, [examples].</summary>
    public override Tensor Targets(ReadOnlySpan<float> scores, int examples, DType dtype = DType.Float32) => Numbers(examples);

    /// <inheritdoc/>
    public override Tensor Of(IReadOnlyList<Tensor> texts, Tensor targets) =>
        Ops.Mean(Ops.Relu(Plus(Ops.Subtract(Distance(texts[0], texts[1]), Distance(texts[0], texts[2])), Margin)));

    /// <summary>‖z‖ is z · z / ‖z‖, whose gradient is z / ‖z‖.</summary>
    private Tensor Distance(Tensor a, Tensor b)
    {
        if (IsCosine) return CosineDistance(a, b);
        Tensor difference = Plus(Ops.Subtract(a, b), Offset);
        return Ops.Sum(Ops.Multiply(difference, Ops.Normalize(difference)), 1);
    }
}
