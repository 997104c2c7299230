using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>
/// The gradients of multi-head attention with relative positions. A part is one head of a group of sequences, by blocks of query rows; the
/// position tables' gradients of each part go to a buffer of its own, with a row for each distance, and are added up in a fixed order.
/// </summary>
internal readonly unsafe struct AttentionBackward<T> : ISimdTask<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly AttentionShape<T> shape;
    private readonly AttentionGradientPointers<T> gradients;
    private readonly T* positionKeys;
    private readonly T* positionQueries;
    private readonly T keepScale;

    private AttentionBackward(in AttentionShape<T> shape, in AttentionGradientPointers<T> gradients, T* positionKeys, T* positionQueries)
    {
        this.shape = shape;
        this.gradients = gradients;
        this.positionKeys = positionKeys;
        this.positionQueries = positionQueries;
        keepScale = VectorMath.Scalar<T>(1 / (1 - shape.DropoutProbability));
    }

    /// <summary>Writes the gradients that are not null.</summary>
    public static void Run(in AttentionShape<T> shape, in AttentionGradientPointers<T> gradients)
    {
        using var keys = new PositionGradient<T>(shape, gradients.PositionKey);
        using var queries = new PositionGradient<T>(shape, gradients.PositionQuery);
        if (shape.Length > 0) SimdTask.Run<T, AttentionBackward<T>>(shape.Heads * shape.Groups, new(shape, gradients, keys.Parts, queries.Parts));
        keys.AddUp(falling: true);
        queries.AddUp(falling: false);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<TSimd>(int index)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        (int group, int number) = Math.DivRem(index, shape.Heads);
        var head = new AttentionHead<T>(shape, number, backward: true);
        T* keys = PartOf(positionKeys, head, group), queries = PartOf(positionQueries, head, group);
        for (int batch = shape.FirstOf(group); batch < shape.FirstOf(group + 1); batch++)
        {
            head.Load(batch, gradients.Dy);
            for (int first = 0; first < head.Queries; first += head.Layout.Queries)
                Block<TSimd>(head, first, Math.Min(head.Layout.Queries, head.Queries - first), keys, queries);
            if (gradients.Q != null) head.Store<TSimd>(head.Buffers.Block, head.Queries, 0, head.Rows, gradients.Q);
            if (gradients.K != null) head.Store<TSimd>(head.Buffers.KGradient, 0, head.Keys, head.Rows, gradients.K);
            if (gradients.V != null) head.Store<TSimd>(head.Buffers.VGradient, 0, head.Keys, head.Rows, gradients.V);
        }
    }

    private T* PartOf(T* parts, in AttentionHead<T> head, int group)
    {
        if (parts == null) return null;
        nint count = head.Layout.Rows(head.Layout.Distances);
        T* part = parts + (((nint)head.Head * shape.Groups) + group) * count;
        new Span<T>(part, checked((int)count)).Clear();
        return part;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Block<TSimd>(in AttentionHead<T> head, int first, int rows, T* keyRows, T* queryRows)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        AttentionBuffers<T> buffers = head.Buffers;
        int step = head.Layout.ScoreStep, keys = head.Keys;
        T beta = first == 0 ? T.Zero : T.One;
        BlockRows<T> q = head.RowsOf(gradients.Q, buffers.Block, first), k = head.RowsOf(gradients.K, buffers.KGradient, 0);
        BlockRows<T> v = head.RowsOf(gradients.V, buffers.VGradient, 0);
        ScoresGradient<TSimd>(head, first, rows);
        if (v.IsWanted) head.Multiply(keys, rows, buffers.Scores, 1, step, buffers.Dy.From(first), beta, v);

        T* ds = buffers.ScoresGradient;
        if (q.IsWanted) head.Multiply(rows, keys, ds, step, 1, buffers.K, T.Zero, q);
        if (shape.PositionKey != null)
            head.AddRelativeGradients(head.QueryBand(first, rows), ds, step, buffers.Q.From(first), buffers.PositionKeys, q, keyRows);
        if (q.IsWanted) head.Store<TSimd>(buffers.Block, first, rows, first + rows, gradients.Q);

        nint rowStep = 1, depthStep = step;
        if (shape.PositionQuery != null)
        {
            (rowStep, depthStep) = (head.Layout.TransposedStep, 1);
            new Span<T>(buffers.Transposed - AttentionLayout.Margin, AttentionLayout.Margin).Clear();
            MatrixProducts.Packing<T>.Pack(ds, step, true, keys, rows, head.Layout.TransposedStep, buffers.Transposed);
            ds = buffers.Transposed;
        }

        if (k.IsWanted) head.Multiply(keys, rows, ds, rowStep, depthStep, buffers.Q.From(first), beta, k);
        if (shape.PositionQuery != null)
            head.AddRelativeGradients(head.KeyBand(first, rows), ds, rowStep, buffers.K, buffers.PositionQueries, k, queryRows);
    }

    /// <summary>Fills the block of scores with the probabilities after dropout, and its gradient with that of the scores.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ScoresGradient<TSimd>(in AttentionHead<T> head, int first, int rows)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        AttentionBuffers<T> buffers = head.Buffers;
        int step = head.Layout.ScoreStep, keys = head.Keys;
        if (shape.Kept == null) head.Probabilities<TSimd>(first, rows);
        head.MultiplyPanels(rows, buffers.Dy.From(first), buffers.VPanels, buffers.ScoresGradient);
        T* row = buffers.Scores;
        T* gradient = buffers.ScoresGradient;
        for (int i = first; i < first + rows; i++, row += step, gradient += step)
        {
            nint at = shape.Row(head.Batch, head.Head, i);
            T* coded = shape.Kept == null ? row : shape.Kept + at;
            if (shape.Kept == null && shape.DropoutProbability > 0)
                ProbabilityRow.Drop<TSimd, T>(row, keys, shape.DropoutProbability, shape.Random, (ulong)at, coded, null);
            ProbabilityRow.Backward<TSimd, T>(coded, gradient, keys, keepScale, shape.Scale, row);
            new Span<T>(gradient - AttentionLayout.Margin, AttentionLayout.Margin).Clear();
            new Span<T>(gradient + keys, AttentionLayout.Margin).Clear();
        }
    }
}
