using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>
/// Attention made of ops of its own for each step, for scores that the fused kernels don't compute: any bias may be added to them. Memory grows with the square of the length.
/// </summary>
internal static class ComposedAttention
{
    /// <summary>[batch, length, width] → [batch, heads, length, width / heads].</summary>
    public static Tensor Heads(Tensor x, int heads) => Ops.Contiguous(Ops.Permute(Ops.Reshape(Ops.Contiguous(x), x.Shape[0], x.Shape[1], heads, x.Shape[2] / heads), 0, 2, 1, 3));

    /// <summary>softmax(q kᵀ / √d + bias) v, [batch, length, width].</summary>
    /// <param name="q">[batch, heads, length, d].</param>
    /// <param name="k">Likewise.</param>
    /// <param name="v">Likewise.</param>
    /// <param name="bias">Broadcasts to [batch, heads, length, length]; null for none.</param>
    /// <param name="mask">[batch, length] Int32: 0 for keys that have no weight.</param>
    /// <param name="dropout">The dropout of the probabilities.</param>
    /// <param name="context">The pass.</param>
    /// <param name="scope">The layer's, which probabilities that the pass keeps outlive.</param>
    public static Tensor Of(Tensor q, Tensor k, Tensor v, Tensor? bias, Tensor mask, double dropout, ForwardContext context, TensorScope scope)
    {
        (int batch, int heads, int length, int size) = (q.Shape[0], q.Shape[1], q.Shape[2], q.Shape[3]);
        Tensor scores = Ops.Scale(Ops.MatMul(q, k, transposeB: true), 1 / Math.Sqrt(size));
        if (bias is not null) scores = Ops.Add(scores, bias);
        Tensor probabilities = Ops.MaskedSoftmax(scores, Ops.Reshape(mask, batch, 1, 1, length));
        context.Attentions?.Add(scope.Keep(probabilities));
        Tensor attended = Ops.MatMul(context.Dropout(probabilities, dropout), v);
        return Ops.Reshape(Ops.Contiguous(Ops.Permute(attended, 0, 2, 1, 3)), batch, length, heads * size);
    }
}
