using LoRA2.Native.Tensors;

namespace LoRA2.Native.Embeddings.Losses;

/// <summary>
/// Pairs are to be in the order of their scores: ln(1 + Σ exp(scale · (cos of the pair that is less alike − cos of the one that is more))), over all two pairs with different scores
/// (Su, CoSENT, 2022, https://kexue.fm/archives/8847).
/// </summary>
public sealed record CoSENTLoss : EmbeddingLoss
{
    /// <summary>Beside which any difference of scaled cosines counts for nothing.</summary>
    private const float Never = -1e12f;

    /// <inheritdoc/>
    public override string Name => "cosent";

    /// <summary>Factor of the cosines.</summary>
    public double Scale { get; init; } = 20;

    /// <inheritdoc/>
    public override bool NeedsScores => true;

    /// <summary>[examples, examples]: 0 where the first of two pairs is to be less alike than the second, else a number that makes their term 0.</summary>
    public override Tensor Targets(ReadOnlySpan<float> scores, int examples, DType dtype = DType.Float32)
    {
        Tensor order = Tensor.Empty([examples, examples]);
        Span<float> values = order.AsSpan<float>();
        for (int i = 0; i < examples; i++)
        {
            for (int j = 0; j < examples; j++) values[(i * examples) + j] = scores[i] < scores[j] ? 0 : Never;
        }

        return order.To(dtype);
    }

    /// <summary>The logarithm of a sum of exponentials, one of them e⁰, is the cross-entropy of a row that begins with 0 against its first class.</summary>
    public override Tensor Of(IReadOnlyList<Tensor> texts, Tensor targets)
    {
        int count = targets.Shape[0];
        Tensor cosines = Ops.Scale(Similarities.OfRows(texts[0], texts[1]), Scale);
        Tensor terms = Ops.Add(Ops.Subtract(Ops.Reshape(cosines, count, 1), Ops.Reshape(cosines, 1, count)), targets);
        Tensor row = Ops.Concat(1, Tensor.Zeros([1, 1], terms.DType, terms.Device), Ops.Reshape(terms, 1, count * count));
        return Ops.CrossEntropy(row, Tensor.Zeros([1], DType.Int32, terms.Device));
    }
}
