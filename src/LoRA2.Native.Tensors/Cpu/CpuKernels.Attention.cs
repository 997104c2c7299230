using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu;

/// <content>Attention.</content>
internal sealed unsafe partial class CpuKernels
{
    public override void Attention(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor probabilities, Tensor y)
    {
        if (IsDouble(q)) AttentionOf<double>(q, k, v, terms, probabilities, y);
        else AttentionOf<float>(q, k, v, terms, probabilities, y);
        Keep(q, k, v, terms.Mask, terms.PositionKey, terms.PositionQuery, probabilities, y);
    }

    public override void AttentionBackward(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor probabilities, Tensor dy, AttentionGradients gradients)
    {
        if (IsDouble(q)) AttentionBackwardOf<double>(q, k, v, terms, probabilities, dy, gradients);
        else AttentionBackwardOf<float>(q, k, v, terms, probabilities, dy, gradients);
        Keep(q, k, v, terms.Mask, terms.PositionKey, terms.PositionQuery, probabilities, dy, gradients.Query, gradients.Key, gradients.Value, gradients.PositionKey, gradients.PositionQuery);
    }

    private static void AttentionOf<T>(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor probabilities, Tensor y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (int* rowOf = terms.PositionOf) Cpu.Attention.Forward(ShapeOf<T>(q, k, v, terms, probabilities, rowOf), (T*)y.Pointer);
    }

    private static void AttentionBackwardOf<T>(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor probabilities, Tensor dy, AttentionGradients gradients)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (int* rowOf = terms.PositionOf)
        {
            Cpu.Attention.Backward(
                ShapeOf<T>(q, k, v, terms, probabilities, rowOf), (T*)dy.Pointer, PointerOf<T>(gradients.Query), PointerOf<T>(gradients.Key), PointerOf<T>(gradients.Value), PointerOf<T>(gradients.PositionKey), PointerOf<T>(gradients.PositionQuery));
        }
    }

    private static T* PointerOf<T>(Tensor? tensor)
        where T : unmanaged => tensor is null ? null : (T*)tensor.Pointer;

    private static AttentionShape<T> ShapeOf<T>(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor probabilities, int* rowOf)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new()
        {
            Batch = q.Shape[0],
            Length = q.Shape[1],
            Width = q.Shape[2],
            Heads = terms.Heads,
            Positions = (terms.PositionKey ?? terms.PositionQuery)?.Shape[0] ?? 0,
            Scale = T.CreateTruncating(terms.Scale),
            Q = (T*)q.Pointer,
            K = (T*)k.Pointer,
            V = (T*)v.Pointer,
            PositionKey = PointerOf<T>(terms.PositionKey),
            PositionQuery = PointerOf<T>(terms.PositionQuery),
            RowOf = rowOf,
            Mask = PointerOf<int>(terms.Mask),
            MaskQueries = terms.MaskQueries,
            DropoutProbability = terms.Dropout.Probability,
            Random = RandomOf(terms.Dropout),
            Probabilities = (T*)probabilities.Pointer,
        };
}
