using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>Plans products of packed bfloat16 blocks: which operands are packed, in which pieces, and on how many threads.</summary>
/// <typeparam name="T">A's element type.</typeparam>
/// <typeparam name="TSource">How A is read.</typeparam>
internal static unsafe class TileDriver<T, TSource>
    where T : unmanaged
    where TSource : unmanaged, ITileSource<T>
{
    /// <summary>
    /// Longest depth of one product, in steps of 32 and terms: a deeper one is several, each adding to C, so that a few strips of A fit the
    /// second-level cache.
    /// </summary>
    private const int GroupSteps = 128;

    private const long PanelsBytes = 16 * 1024 * 1024;

    /// <summary>The product with B as it lies in memory. <paramref name="product"/> has no panels and no epilogue yet.</summary>
    public static void Multiply(in TileProduct<T> product, float* b, nint ldb, bool transB, in Epilogue<float> epilogue)
    {
        nint group = Group(product);
        long panelBytes = Math.Max(1, TileShape.SliceBytes(group, product.Terms));
        int chunk = (int)Math.Max(1, PanelsBytes / panelBytes) * TileShape.Lanes;
        for (int column = 0; column < product.Columns; column += Math.Min(chunk, product.Columns - column))
        {
            TileProduct<T> part = product;
            part.Columns = Math.Min(chunk, product.Columns - column);
            part.C += column;
            Add(ref part, epilogue, column);
            nint start = 0;
            do
            {
                nint length = Math.Min(group, product.Depth - start);
                part.PanelStep = TileShape.SliceBytes(length, product.Terms);
                part.Panels = Scratch.Get<byte>(ScratchUse.Panels, TileShape.Slices(part.Columns) * part.PanelStep);
                float* from = b + (transB ? column * ldb + start : start * ldb + column);
                TilePanels<float, FloatSource>.All(from, ldb, transB, length, part.Columns, product.Terms, part.Panels);
                Run(part, start, length, product.Depth);
                start += length;
            }
            while (start < product.Depth);
        }
    }

    /// <summary>The product with B packed before, whole.</summary>
    public static void Multiply(in TileProduct<T> product, byte* panels, in Epilogue<float> epilogue)
    {
        TileProduct<T> part = product;
        Add(ref part, epilogue, 0);
        part.PanelStep = TileShape.SliceBytes(product.Depth, product.Terms);
        nint start = 0, group = Group(product);
        do
        {
            nint length = Math.Min(group, product.Depth - start);
            part.Panels = panels + TileShape.SliceBytes(start, product.Terms);
            Run(part, start, length, product.Depth);
            start += length;
        }
        while (start < product.Depth);
    }

    /// <summary>Depth of a group: groups are of about one length, which depends on the whole depth and the terms alone.</summary>
    private static nint Group(in TileProduct<T> product)
    {
        nint steps = TileShape.Steps(product.Depth), most = GroupSteps / product.Terms, groups = Math.Max(1, (steps + most - 1) / most);
        return (steps + groups - 1) / groups * TileShape.Depth;
    }

    /// <summary>One group of the depth: the first scales C and starts from the bias, the last adds the rest of the epilogue.</summary>
    private static void Run(TileProduct<T> part, nint start, nint length, nint depth)
    {
        part.A += start * (part.TransposedA ? part.AStep : 1);
        part.Depth = length;
        float* bias = start == 0 ? part.Epilogue.Bias : null;
        if (start > 0) part.Beta = 1;
        if (start + length < depth) part.Epilogue = default;
        part.Epilogue.Bias = bias;
        var task = new TileTask<T, TSource>(part, ThreadTeam.Available);
        ThreadTeam.Run(task.Parts, task);
    }

    /// <summary>The epilogue of the columns from <paramref name="column"/> on.</summary>
    private static void Add(ref TileProduct<T> part, in Epilogue<float> epilogue, int column)
    {
        part.Epilogue = epilogue;
        if (epilogue.Bias != null) part.Epilogue.Bias += column;
        if (epilogue.Residual != null) part.Epilogue.Residual += column;
        if (epilogue.Activated != null) part.Epilogue.Activated += column;
        if (epilogue.Rank == 0) return;
        nint size = LowRankTerms.SliceBytes(epilogue.Rank, part.Terms);
        int panels = TileShape.Slices(part.Columns);
        nint scratchBytes = LowRankTerms.ScratchFloats(epilogue.Rank, part.Terms) * sizeof(float);
        part.RightPanels = Scratch.Get<byte>(ScratchUse.RightPanels, panels * size + scratchBytes);
        var scratch = (float*)(part.RightPanels + panels * size);
        for (int panel = 0; panel < panels; panel++)
        {
            int first = panel * TileShape.Lanes, from = column + first;
            LowRankTerms.PackRight(
                epilogue.Right + (epilogue.RightTransposed ? (nint)from * epilogue.RightStride : from),
                epilogue.RightStride, epilogue.RightTransposed, Math.Min(TileShape.Lanes, part.Columns - first), epilogue.Rank, part.Terms, scratch, part.RightPanels + panel * size);
        }
    }
}
