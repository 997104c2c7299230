using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>The blocks of one part, in this thread's scratch memory. What a pass does not use is null.</summary>
internal unsafe struct AttentionBuffers<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The sequence's rows of this head.</summary>
    public T* Q;
    public T* K;
    public T* V;
    public T* Dy;

    /// <summary>Panels of Kᵀ and Vᵀ.</summary>
    public T* KPanels;
    public T* VPanels;

    /// <summary>A block of scores, then of probabilities.</summary>
    public T* Scores;

    /// <summary>A block of the probabilities' gradient, then of the scores'.</summary>
    public T* ScoresGradient;

    /// <summary>Key rows by queries: the position-to-content scores, or the scores' gradient.</summary>
    public T* Transposed;

    /// <summary>A block of y or dq.</summary>
    public T* Block;
    public T* KGradient;
    public T* VGradient;

    /// <summary>A row for each distance: content-to-position keys by falling query − key, position-to-content queries by rising.</summary>
    public T* PositionKeys;
    public T* PositionQueries;

    /// <summary>Panels of their transposes.</summary>
    public T* PositionKeyPanels;
    public T* PositionQueryPanels;

    private T* start;
    private nint used;

    /// <summary>Lays the blocks out in this thread's scratch memory.</summary>
    public static AttentionBuffers<T> Get(in AttentionLayout layout, in AttentionShape<T> shape, bool backward)
    {
        AttentionBuffers<T> buffers = default;
        buffers.Lay(layout, shape, backward);
        buffers.start = Scratch.Get<T>(ScratchSlot.Scores, buffers.used);
        buffers.used = 0;
        buffers.Lay(layout, shape, backward);
        return buffers;
    }

    private void Lay(in AttentionLayout layout, in AttentionShape<T> shape, bool backward)
    {
        bool scores = !backward || shape.Kept == null;
        nint rows = layout.Rows(layout.Length), panels = layout.Panels(layout.Length);
        Q = Take(rows);
        K = Take(rows);
        V = Take(rows);
        if (scores) KPanels = Take(panels);
        Scores = Take(AttentionLayout.Block(layout.Queries, layout.ScoreStep)) + AttentionLayout.Margin;
        Block = Take(layout.Rows(layout.Queries));
        if (backward)
        {
            Dy = Take(rows);
            VPanels = Take(panels);
            KGradient = Take(rows);
            VGradient = Take(rows);
            ScoresGradient = Take(AttentionLayout.Block(layout.Queries, layout.ScoreStep)) + AttentionLayout.Margin;
        }

        if (shape.PositionQuery != null) Transposed = Take(AttentionLayout.Block(layout.Length, layout.TransposedStep)) + AttentionLayout.Margin;
        Table(layout, shape.PositionKey, scores, out PositionKeys, out PositionKeyPanels);
        Table(layout, shape.PositionQuery, scores, out PositionQueries, out PositionQueryPanels);
    }

    private void Table(in AttentionLayout layout, T* table, bool scores, out T* rows, out T* panels)
    {
        rows = table == null ? null : Take(layout.Rows(layout.Distances));
        panels = table == null || !scores ? null : Take(layout.Panels(layout.Distances));
    }

    private T* Take(nint count)
    {
        T* taken = start == null ? null : start + used;
        used += (count + 15) / 16 * 16;
        return taken;
    }
}
