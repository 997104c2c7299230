using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>
/// One head at work on this thread: its position tables, spread out to a row for each distance and packed once for all sequences of a part, and
/// one sequence's operands. Spread out, a table needs no look-ups: the relative terms of a block of scores are a product whose result is sheared.
/// </summary>
internal unsafe struct AttentionHead<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public readonly AttentionShape<T> Shape;
    public readonly AttentionLayout Layout;
    public AttentionBuffers<T> Buffers;
    public readonly int Head;
    private readonly SimdPath path;

    /// <param name="shape">The attention.</param>
    /// <param name="head">Number of the head.</param>
    /// <param name="backward">Whether for the backward pass.</param>
    public AttentionHead(in AttentionShape<T> shape, int head, bool backward)
    {
        Shape = shape;
        Head = head;
        path = SimdPaths.Current;
        Layout = new AttentionLayout(shape.Length, shape.Size, BlockProducts<T>.PanelColumns(path));
        Buffers = AttentionBuffers<T>.Get(Layout, shape, backward);
        if (shape.PositionKey != null) LoadTable(shape.PositionKey, falling: true, Buffers.PositionKeys, Buffers.PositionKeyPanels);
        if (shape.PositionQuery != null) LoadTable(shape.PositionQuery, falling: false, Buffers.PositionQueries, Buffers.PositionQueryPanels);
    }

    /// <summary>The sequence at work.</summary>
    public int Batch { get; private set; }

    /// <summary>Its rows.</summary>
    public int Rows { get; private set; }

    /// <summary>Its keys: trailing padding is left out.</summary>
    public int Keys { get; private set; }

    /// <summary>Its queries: where padding masks its own row too, trailing padding is left out.</summary>
    public int Queries { get; private set; }

    /// <summary>Loads a sequence; <paramref name="dy"/> is null in the forward pass.</summary>
    public void Load(int batch, T* dy)
    {
        Batch = batch;
        Keys = Shape.KeysOf(batch);
        Rows = Shape.RowsOf(batch);
        Queries = Keys == 0 ? 0 : Shape.MaskQueries ? Keys : Rows;
        nint block = Shape.Block(batch, Head);
        LoadRows(Shape.Q + block, Queries, ref Buffers.Q);
        LoadRows(Shape.K + block, Keys, ref Buffers.K);
        LoadPanels(Buffers.K, Keys, Buffers.KPanels);
        LoadRows(Shape.V + block, Keys, ref Buffers.V);
        LoadStrips(Buffers.Q, Queries, Buffers.QStrips);
        LoadStrips(Buffers.K, Keys, Buffers.KStrips);
        if (dy == null) return;
        LoadPanels(Buffers.V, Keys, Buffers.VPanels);
        LoadRows(dy + block, Queries, ref Buffers.Dy);
    }

    /// <summary>
    /// Computes the scores of queries <paramref name="first"/> … + <paramref name="rows"/> − 1 and then their probabilities (without dropout) into
    /// the buffer of scores.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Probabilities<TSimd>(int first, int rows)
        where TSimd : unmanaged, Vectors.ISimd<TSimd, T>
    {
        T* scores = Buffers.Scores;
        RightOperand<T> q = Buffers.Q;
        byte* strips = Buffers.QStrips == null ? null : Buffers.QStrips + (first / TileShape.Lanes * TileShape.SliceBytes(Layout.Size, 1));
        T beta = T.Zero;
        if (Shape.PositionQuery != null)
        {
            // Position-to-content terms run along a key's distances, so they are made with a row for each key, and turned.
            Band band = KeyBand(first, rows);
            BlockProducts<T>.ShearedColumns(
                path, band, Layout.Size, Scaled(Buffers.K, 0, Buffers.KStrips, Buffers.PositionQueryPanels, Buffers.Transposed, Layout.TransposedStep, T.Zero));
            Packing<T>.Pack(Buffers.Transposed, Layout.TransposedStep, true, rows, Keys, Layout.ScoreStep, scores);
            beta = T.One;
        }

        if (Shape.PositionKey != null)
        {
            BlockProducts<T>.ShearedColumns(
                path, QueryBand(first, rows), Layout.Size, Scaled(q, first, strips, Buffers.PositionKeyPanels, scores, Layout.ScoreStep, beta));
            beta = T.One;
        }

        BlockProducts<T>.Dense(path, rows, Keys, Layout.Size, Scaled(q, first, strips, Buffers.KPanels, scores, Layout.ScoreStep, beta));
        int* mask = Shape.MaskOf(Batch);
        for (int i = 0; i < rows; i++, scores += Layout.ScoreStep)
        {
            if (mask != null && Shape.MaskQueries && mask[first + i] == 0) new Span<T>(scores, Keys).Clear();
            else SoftmaxRow.Forward<TSimd, T>(scores, mask, T.One, Keys, scores);
        }
    }

    /// <summary>The distances of a block of scores: content to position.</summary>
    public readonly Band QueryBand(int first, int rows) => new(rows, Keys, Shape.Length - 1 - first);

    /// <summary>The distances of its transpose: position to content.</summary>
    public readonly Band KeyBand(int first, int rows) => new(Keys, rows, Shape.Length - 1 + first);

    /// <summary>C (rows × <see cref="AttentionShape{T}.Size"/>) = A (rows × depth) · B + beta · C, where B and C are rows of a head.</summary>
    public readonly void Multiply(int rows, int depth, T* a, nint rowStep, nint depthStep, in RightOperand<T> b, T beta, BlockRows<T> c) =>
        BlockProducts<T>.Dense(path, rows, Layout.Size, depth, Operands(a, rowStep, depthStep, b, c.Data, c.Step, T.One, beta));

    /// <summary>C (rows × keys) = A · B, where A is rows of a head and B panels of keys.</summary>
    public readonly void MultiplyPanels(int rows, in RightOperand<T> a, in RightOperand<T> panels, T* c) =>
        BlockProducts<T>.Dense(path, rows, Keys, Layout.Size, Operands(a.Data, a.Step, 1, panels, c, Layout.ScoreStep, T.One, T.Zero));

    /// <summary>
    /// The gradients that one relative term hands on: own rows += a · table for the rows of the block, table rows += aᵀ · own for the distances in
    /// the band. Either may be null.
    /// </summary>
    public readonly void AddRelativeGradients(Band band, T* a, nint step, in RightOperand<T> own, in RightOperand<T> table, BlockRows<T> ownGradient, T* tableGradient)
    {
        if (ownGradient.IsWanted) BlockProducts<T>.ShearedDepth(path, band, Layout.Size, Operands(a, step, 1, table, ownGradient.Data, ownGradient.Step, T.One, T.One));
        if (tableGradient != null) BlockProducts<T>.ShearedRows(path, band, Layout.Size, Operands(a, step, 1, own, tableGradient, Layout.Step, T.One, T.One));
    }

    /// <summary>
    /// Where one head's columns of a sequence are made, from row <paramref name="first"/> on: products of tiles write to the
    /// <paramref name="destination"/> itself, vector code, which writes whole vectors, to a <paramref name="block"/>. None if null.
    /// </summary>
    public readonly BlockRows<T> RowsOf(T* destination, T* block, int first)
    {
        if (destination == null || !Shape.OnTiles) return new(destination == null ? null : block, Layout.Step);
        return new(destination + Shape.Block(Batch, Head) + ((nint)first * Shape.Width), Shape.Width);
    }

    /// <summary>
    /// Brings the first rows of a block of <see cref="RowsOf"/> to one head's columns of a sequence, and clears the sequence's other rows from there on.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Store<TSimd>(T* block, int first, int rows, int end, T* destination)
        where TSimd : unmanaged, Vectors.ISimd<TSimd, T>
    {
        T* to = destination + Shape.Block(Batch, Head) + ((nint)first * Shape.Width);
        int size = Layout.Size, full = size - (size % TSimd.Count);
        if (Shape.OnTiles) to += (nint)rows * Shape.Width;
        else
        {
            for (int i = first; i < first + rows; i++, block += Layout.Step, to += Shape.Width)
            {
                for (int c = 0; c < full; c += TSimd.Count) TSimd.Store(TSimd.Load(block + c), to + c);
                if (full < size) TSimd.StorePartial(TSimd.Load(block + full), to + full, size - full);
            }
        }

        for (int i = first + rows; i < end; i++, to += Shape.Width) new Span<T>(to, size).Clear();
    }

    /// <summary>A product of scaled rows of this head, from <paramref name="first"/> on, with a row of <paramref name="c"/> for each.</summary>
    private readonly BlockOperands<T> Scaled(in RightOperand<T> rows, int first, byte* strips, in RightOperand<T> b, T* c, nint step, T beta)
    {
        BlockOperands<T> operands = Operands(rows.Data + (first * rows.Step), rows.Step, 1, b, c, step, Shape.Scale, beta);
        operands.PackedA = strips;
        return operands;
    }

    private static BlockOperands<T> Operands(T* a, nint rowStep, nint depthStep, in RightOperand<T> b, T* c, nint step, T alpha, T beta) => new()
    {
        A = a,
        RowStep = rowStep,
        DepthStep = depthStep,
        B = b,
        C = c,
        CStep = step,
        Alpha = alpha,
        Beta = beta,
    };

    private readonly void LoadRows(T* source, int rows, ref RightOperand<T> destination)
    {
        if (Shape.OnTiles)
        {
            destination.Data = source;
            destination.Step = Shape.Width;
        }
        else
        {
            Packing<T>.Pack(source, Shape.Width, false, rows, Layout.Size, Layout.Step, destination.Data);
        }

        destination.PackTiles(rows, Layout.Size);
    }

    private readonly void LoadStrips(in RightOperand<T> rows, int count, byte* strips)
    {
        if (strips != null) TileBlock.PackLeft((float*)rows.Data, (int)rows.Step, false, count, Layout.Size, float.CreateTruncating(Shape.Scale), Precision.BFloat16, strips);
    }

    private readonly void LoadPanels(in RightOperand<T> rows, int count, in RightOperand<T> panels)
    {
        if (panels.Tiles != null) TileBlock.PackRight((float*)rows.Data, (int)rows.Step, true, Layout.Size, count, Precision.BFloat16, panels.Tiles);
        else if (panels.Data != null) PackPanels<T>.All(rows.Data, rows.Step, true, Layout.Size, count, Layout.Panel, panels.Data);
    }

    private readonly void LoadTable(T* table, bool falling, in RightOperand<T> rows, in RightOperand<T> panels)
    {
        T* column = table + ((nint)Head * Layout.Size);
        int distances = Layout.Distances;
        for (int x = 0; x < distances; x++)
        {
            int row = Shape.RowOf[falling ? distances - 1 - x : x];
            Packing<T>.Pack(column + ((nint)row * Shape.Width), Shape.Width, false, 1, Layout.Size, Layout.Step, rows.Data + Layout.Rows(x));
        }

        rows.PackTiles(distances, Layout.Size);
        LoadPanels(rows, distances, panels);
    }
}
