using LoRA2.Native.Embeddings;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>One vector of the hidden states of a text's tokens, as sentence-transformers' Pooling makes it.</summary>
internal sealed class TokenPooling(Pooling pooling)
{
    private readonly ByLength scores = new(length => Scores(pooling, length));

    /// <summary>[batch, length, width] and a mask [batch, length] → [batch, width].</summary>
    public Tensor Forward(Tensor hidden, Tensor mask) => pooling switch
    {
        Pooling.Cls => Ops.Reshape(Ops.Slice(hidden, 1, 0, 1), hidden.Shape[0], hidden.Shape[2]),
        Pooling.Max => Ops.MaskedMax(hidden, mask),
        _ => Weighted(hidden, mask),
    };

    /// <summary>
    /// A weighted sum. The weights are a masked softmax: of zeros 1 / n at each of n tokens, of ln(1 + t) proportional to 1 + t, and of what rises steeply 1 at the last token;
    /// 1 / √n is what 1 / n is at the length 1.
    /// </summary>
    private Tensor Weighted(Tensor hidden, Tensor mask)
    {
        (int batch, int length, int width) = (hidden.Shape[0], hidden.Shape[1], hidden.Shape[2]);
        Tensor zeros = Tensor.Zeros([batch, length], hidden.DType, hidden.Device);
        Tensor shares = Ops.MaskedSoftmax(pooling is Pooling.WeightedMean or Pooling.Last ? Ops.Add(zeros, scores.On(hidden.Device, length)) : zeros, mask);
        Tensor weights = pooling == Pooling.MeanSqrtLength ? Ops.Normalize(shares) : shares;
        return Ops.Reshape(Ops.MatMul(Ops.Reshape(weights, batch, 1, length), hidden), batch, width);
    }

    private static Tensor Scores(Pooling pooling, int length)
    {
        Tensor scores = Tensor.Zeros([length]);
        Span<float> values = scores.AsSpan<float>();
        for (int t = 0; t < length; t++) values[t] = pooling == Pooling.Last ? 1e4f * t : MathF.Log(1 + t);
        return scores;
    }
}
