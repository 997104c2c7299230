using LoRA2.Native.Tensors;

namespace LoRA2.Native.Embeddings;

/// <summary>How near two vectors are: the higher the nearer.</summary>
public enum Similarity
{
    /// <summary>The cosine of the angle between them, −1 to 1.</summary>
    Cosine,

    /// <summary>Their dot product: the cosine, where both have the length 1.</summary>
    Dot,
}

/// <summary>Similarities as ops, with gradients.</summary>
public static class Similarities
{
    /// <summary>The similarity of each row with the same row: [n, width] and [n, width] → [n].</summary>
    public static Tensor OfRows(Tensor a, Tensor b, Similarity similarity = Similarity.Cosine)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return similarity == Similarity.Dot ? Ops.Sum(Ops.Multiply(a, b), 1) : Ops.Sum(Ops.Multiply(Ops.Normalize(a), Ops.Normalize(b)), 1);
    }

    /// <summary>The similarity of each row with every row: [n, width] and [m, width] → [n, m].</summary>
    public static Tensor OfAll(Tensor a, Tensor b, Similarity similarity = Similarity.Cosine)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return similarity == Similarity.Dot ? Ops.MatMul(a, b, transposeB: true) : Ops.MatMul(Ops.Normalize(a), Ops.Normalize(b), transposeB: true);
    }
}
