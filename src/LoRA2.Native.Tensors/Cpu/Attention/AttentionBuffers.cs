using System.Numerics;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>The blocks of one part, in this thread's scratch memory. What a pass does not use is null.</summary>
internal unsafe struct AttentionBuffers<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The sequence's rows of this head: copies for vector code, the rows where they lie and their bfloat16 tiles.</summary>
    public RightOperand<T> Q;
    public RightOperand<T> K;
    public RightOperand<T> V;
    public RightOperand<T> Dy;

    /// <summary>Panels of Kᵀ and Vᵀ.</summary>
    public RightOperand<T> KPanels;
    public RightOperand<T> VPanels;

    /// <summary>Scaled q and k as left operands in bfloat16 tiles; null elsewhere.</summary>
    public byte* QStrips;
    public byte* KStrips;

    /// <summary>A block of scores, then of probabilities.</summary>
    public T* Scores;

    /// <summary>A block of the probabilities' gradient, then of the scores'.</summary>
    public T* ScoresGradient;

    /// <summary>Key rows by queries: the position-to-content scores, or the scores' gradient.</summary>
    public T* Transposed;

    /// <summary>A block of y or dq, and dk and dv, for vector code; products of tiles write to the tensors themselves.</summary>
    public T* Block;
    public T* KGradient;
    public T* VGradient;

    /// <summary>A row for each distance: content-to-position keys by falling query − key, position-to-content queries by rising.</summary>
    public RightOperand<T> PositionKeys;
    public RightOperand<T> PositionQueries;

    /// <summary>Panels of their transposes.</summary>
    public RightOperand<T> PositionKeyPanels;
    public RightOperand<T> PositionQueryPanels;

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
        bool scores = !backward || shape.Kept == null, tiles = shape.OnTiles;
        int length = layout.Length, distances = layout.Distances;
        Q = Rows(layout, length, !tiles, tiles && backward);
        K = Rows(layout, length, !tiles, tiles && backward);
        V = Rows(layout, length, !tiles, tiles && !backward);
        if (scores) KPanels = Panels(layout, length, tiles);
        if (scores && tiles)
        {
            QStrips = Strips(layout, length);
            if (shape.PositionQuery != null) KStrips = Strips(layout, length);
        }

        Scores = Take(AttentionLayout.Block(layout.Queries, layout.ScoreStep)) + AttentionLayout.Margin;
        if (!tiles) Block = Take(layout.Rows(layout.Queries));
        if (backward)
        {
            Dy = Rows(layout, length, !tiles, tiles);
            VPanels = Panels(layout, length, tiles);
            if (!tiles) KGradient = Take(layout.Rows(length));
            if (!tiles) VGradient = Take(layout.Rows(length));
            ScoresGradient = Take(AttentionLayout.Block(layout.Queries, layout.ScoreStep)) + AttentionLayout.Margin;
        }

        if (shape.PositionKey != null)
        {
            PositionKeys = Rows(layout, distances, true, tiles && backward);
            if (scores) PositionKeyPanels = Panels(layout, distances, tiles);
        }

        if (shape.PositionQuery == null) return;
        Transposed = Take(AttentionLayout.Block(length, layout.TransposedStep)) + AttentionLayout.Margin;
        PositionQueries = Rows(layout, distances, true, tiles && backward);
        if (scores) PositionQueryPanels = Panels(layout, distances, tiles);
    }

    private RightOperand<T> Rows(in AttentionLayout layout, int count, bool copied, bool tiles)
    {
        var rows = new RightOperand<T> { Data = copied ? Take(layout.Rows(count)) : null, PanelStep = layout.Panel, Step = layout.Step };
        if (!tiles) return rows;
        rows.TileStep = TileShape.SliceBytes(count, 1);
        rows.Tiles = (byte*)Take(TileShape.Slices(layout.Size) * rows.TileStep / sizeof(T));
        return rows;
    }

    private RightOperand<T> Panels(in AttentionLayout layout, int count, bool tiles)
    {
        var panels = new RightOperand<T> { PanelStep = (nint)layout.Size * layout.Panel, Step = layout.Panel };
        if (tiles)
        {
            panels.TileStep = TileShape.SliceBytes(layout.Size, 1);
            panels.Tiles = (byte*)Take(TileShape.Slices(count) * panels.TileStep / sizeof(T));
        }
        else
        {
            panels.Data = Take(layout.Panels(count));
        }

        return panels;
    }

    private byte* Strips(in AttentionLayout layout, int count) =>
        (byte*)Take(TileShape.Slices(count) * TileShape.SliceBytes(layout.Size, 1) / sizeof(T));

    private T* Take(nint count)
    {
        T* taken = start == null ? null : start + used;
        used += (count + 15) / 16 * 16;
        return taken;
    }
}
