using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>
/// Multi-head attention with relative positions. A part is one head of a group of sequences; it works by blocks of query rows: scores, softmax,
/// dropout and the product with v while the block is in the cache. The heads of a group follow one another, since they share memory pages.
/// </summary>
internal readonly unsafe struct AttentionForward<T>(AttentionShape<T> shape, T* y) : ISimdTask<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Writes y, and what the shape asks for beside it.</summary>
    public static void Run(in AttentionShape<T> shape, T* y)
    {
        if (shape.Length > 0) SimdTask.Run<T, AttentionForward<T>>(shape.Heads * shape.Groups, new(shape, y));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<TSimd>(int index)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        (int group, int number) = Math.DivRem(index, shape.Heads);
        var head = new AttentionHead<T>(shape, number, backward: false);
        for (int batch = shape.FirstOf(group); batch < shape.FirstOf(group + 1); batch++)
        {
            head.Load(batch, null);
            for (int first = 0; first < head.Queries; first += head.Layout.Queries) Block<TSimd>(head, first, Math.Min(head.Layout.Queries, head.Queries - first));
            head.Store<TSimd>(head.Buffers.Block, head.Queries, 0, head.Rows, y);
            if (shape.Probabilities == null) continue;
            for (int i = head.Queries; i < shape.Length; i++) new Span<T>(shape.Probabilities + shape.Row(batch, number, i), shape.Length).Clear();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Block<TSimd>(in AttentionHead<T> head, int first, int rows)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        head.Probabilities<TSimd>(first, rows);
        int step = head.Layout.ScoreStep, keys = head.Keys;
        T* row = head.Buffers.Scores;
        for (int i = first; i < first + rows; i++, row += step)
        {
            nint at = shape.Row(head.Batch, head.Head, i);
            if (shape.Probabilities != null)
            {
                new Span<T>(row, keys).CopyTo(new Span<T>(shape.Probabilities + at, keys));
                new Span<T>(shape.Probabilities + at + keys, shape.Length - keys).Clear();
            }

            T* kept = shape.Kept == null ? null : shape.Kept + at;
            if (shape.DropoutProbability > 0) ProbabilityRow.Drop<TSimd, T>(row, keys, shape.DropoutProbability, shape.Random, (ulong)at, kept, row);
            else if (kept != null) new Span<T>(row, keys).CopyTo(new Span<T>(kept, keys));
        }

        head.Multiply(rows, keys, head.Buffers.Scores, step, 1, head.Buffers.V, T.Zero, head.RowsOf(y, head.Buffers.Block, first));
        head.Store<TSimd>(head.Buffers.Block, first, rows, first + rows, y);
    }
}
