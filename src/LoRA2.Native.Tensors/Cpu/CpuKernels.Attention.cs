using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Attention;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu;

/// <content>Attention.</content>
internal sealed unsafe partial class CpuKernels
{
    /// <summary>
    /// Longest sequence whose probabilities are kept for the backward pass: computing them again takes longer than reading them, but what is kept
    /// grows with the square of the length.
    /// </summary>
    private const int MostKeptLength = 256;

    public override AttentionMemory KeptOfAttention(Tensor q, AttentionTerms terms)
    {
        (int batch, int length) = terms.Extent(q);
        return new(length <= MostKeptLength ? [batch, terms.Heads, length, length] : (Shape?)null, Result: false, Inputs: true);
    }

    public override void Attention(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? probabilities, Tensor? kept, Tensor y)
    {
        if (IsDouble(q)) AttentionOf<double>(q, k, v, terms, probabilities, kept, y);
        else AttentionOf<float>(q, k, v, terms, probabilities, kept, y);
        Keep(q, k, v, terms.Mask, terms.Starts, terms.PositionKey, terms.PositionQuery, probabilities, kept, y);
    }

    public override void AttentionBackward(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? kept, Tensor? y, Tensor dy, AttentionGradients gradients)
    {
        if (IsDouble(q)) AttentionBackwardOf<double>(q, k, v, terms, kept, dy, gradients);
        else AttentionBackwardOf<float>(q, k, v, terms, kept, dy, gradients);
        Keep(q, k, v, terms.Mask, terms.Starts, terms.PositionKey, terms.PositionQuery, kept, dy, gradients.Query, gradients.Key, gradients.Value, gradients.PositionKey, gradients.PositionQuery);
    }

    private static void AttentionOf<T>(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? probabilities, Tensor? kept, Tensor y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (int* rowOf = terms.PositionOf)
        {
            AttentionShape<T> shape = ShapeOf<T>(q, k, v, terms, kept, rowOf);
            shape.Probabilities = PointerOf<T>(probabilities);
            AttentionForward<T>.Run(shape, (T*)y.Pointer);
        }
    }

    private static void AttentionBackwardOf<T>(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? kept, Tensor dy, AttentionGradients gradients)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (int* rowOf = terms.PositionOf)
        {
            var pointers = new AttentionGradientPointers<T>
            {
                Dy = (T*)dy.Pointer,
                Q = PointerOf<T>(gradients.Query),
                K = PointerOf<T>(gradients.Key),
                V = PointerOf<T>(gradients.Value),
                PositionKey = PointerOf<T>(gradients.PositionKey),
                PositionQuery = PointerOf<T>(gradients.PositionQuery),
            };
            AttentionBackward<T>.Run(ShapeOf<T>(q, k, v, terms, kept, rowOf), pointers);
        }
    }

    private static T* PointerOf<T>(Tensor? tensor)
        where T : unmanaged => tensor is null ? null : (T*)tensor.Pointer;

    private static AttentionShape<T> ShapeOf<T>(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? kept, int* rowOf)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new()
        {
            Batch = terms.Extent(q).Sequences,
            Length = terms.Extent(q).Length,
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
            Starts = PointerOf<int>(terms.Starts),
            Mask = PointerOf<int>(terms.Mask),
            MaskQueries = terms.MaskQueries,
            DropoutProbability = terms.Dropout.Probability,
            Random = RandomOf(terms.Dropout),
            Kept = PointerOf<T>(kept),
            // What 8 bits leave uncertain in the projections hides bfloat16's rounding.
            OnTiles = typeof(T) == typeof(float) && terms.Precision is Precision.BFloat16 or Precision.Int8 && BFloat16Paths.Of(Precision.BFloat16) != BFloat16Path.Vector,
        };
}
