using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Attention of any shapes. <see cref="Attention"/> is the fused one of encoders.</content>
public static partial class Ops
{
    /// <summary>
    /// softmax(q kᵀ / √d + mask) v and its probabilities (arXiv 1706.03762, equation 1): q is [.., n, d], k [.., m, d] and v [.., m, e], leading axes broadcast. A mask of Bool says where to look, one of floating point
    /// is added to the scores; it broadcasts to [.., n, m]. With <paramref name="causal"/> query i sees keys 0 … i. A query that may look nowhere gives NaN.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes don't fit.</exception>
    public static (Tensor Values, Tensor Probabilities) ScaledDotProductAttention(Tensor q, Tensor k, Tensor v, Tensor? mask = null, bool causal = false, double? scale = null)
    {
        ArgumentNullException.ThrowIfNull(q);
        ArgumentNullException.ThrowIfNull(k);
        ArgumentNullException.ThrowIfNull(v);
        if (q.Shape.Rank < 2 || k.Shape.Rank < 2 || v.Shape.Rank < 2 || q.Shape[^1] != k.Shape[^1] || k.Shape[^2] != v.Shape[^2])
            throw new ArgumentException($"ScaledDotProductAttention: q {q.Shape}, k {k.Shape} and v {v.Shape} don't fit");
        Tensor scores = Scale(MatMul(q, k, false, true), scale ?? (1 / Math.Sqrt(q.Shape[^1])));
        if (causal)
        {
            Tensor seen = Unrecorded(() => Tril(Tensor.Full([q.Shape[^2], k.Shape[^2]], 1, DType.Bool)));
            scores = Where(seen, scores, double.NegativeInfinity);
        }

        if (mask is not null) scores = mask.DType == DType.Bool ? Where(mask, scores, double.NegativeInfinity) : Add(scores, mask);
        Tensor probabilities = Softmax(scores);
        return (MatMul(probabilities, v), probabilities);
    }
}
