using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// A tile product split into blocks of C, one a part. A part packs its rows of A into this thread's scratch, where they stay in the
/// second-level cache while B's panels go by.
/// </summary>
internal unsafe struct TileTask<T, TSource> : IParallelTask
    where T : unmanaged
    where TSource : unmanaged, ITileSource<T>
{
    private const int Lanes = TileShape.Lanes;
    private const int StripsBytes = 800 * 1024;

    /// <summary>Multiplications below which waking another thread does not pay.</summary>
    private const double SmallestParallel = 4 * 1024 * 1024;

    private TileProduct<T> product;
    private readonly PartGrid grid;

    public TileTask(in TileProduct<T> product, int threads)
    {
        this.product = product;
        int strips = TileShape.Slices(product.Rows);
        long stripBytes = Math.Max(1, TileShape.SliceBytes(product.Depth, product.Terms));
        grid = new PartGrid(strips, TileShape.Slices(product.Columns), PartGrid.Divide(strips, (int)Math.Clamp(StripsBytes / stripBytes, 1, strips)));
        if (threads > 1 && (double)product.Rows * product.Columns * product.Depth * product.Terms >= SmallestParallel) grid = grid.Over(threads, 2, 4);
    }

    public readonly int Parts => grid.Parts;

    public readonly void Run(int index)
    {
        (int strip0, int strip1, int panel0, int panel1) = grid[index];
        byte* a = PackStrips(strip0, strip1);
        byte* left = PackLeft(strip0, strip1);
        nint stripStep = TileShape.SliceBytes(product.Depth, product.Terms);
        nint rankStep = LowRankTerms.SliceBytes(product.Epilogue.Rank, product.Terms);
        Epilogue<float> epilogue = product.Epilogue;
        bool adds = product.Beta == 1 && epilogue.Bias == null;
        float beta = adds ? 0 : product.Beta;
        bool plain = beta == 0 && epilogue.Residual == null && epilogue.Activated == null;
        float* memory = stackalloc float[TileShape.BlockFloats];
        float* block = TileShape.Align(memory), lastBias = stackalloc float[Lanes];

        BlockCode code = BFloat16Code.Of(product.Path);
        code.Configure();
        TileCall call = default;
        call.Steps = TileShape.Steps(product.Depth);
        call.RankSteps = TileShape.Steps(LowRankTerms.Depth(epilogue.Rank, product.Terms));
        for (int panel = panel0; panel < panel1; panel++)
        {
            int column = panel * Lanes, columns = Math.Min(Lanes, product.Columns - column);
            call.Start = Bias(column, columns, lastBias);
            call.Right = product.RightPanels + panel * rankStep;
            for (int strip = strip0; strip < strip1; strip++)
            {
                int row = strip * Lanes, rows = Math.Min(Lanes, product.Rows - row);
                nint at = row * product.CStep + column;
                bool direct = plain && columns % 16 == 0 && rows % code.RowStep == 0;
                call.A = a + (strip - strip0) * stripStep;
                call.B = product.Panels + panel * product.PanelStep;
                call.Left = left + (strip - strip0) * rankStep;
                call.C = direct ? product.C + at : block;
                call.CStep = (direct ? product.CStep : Lanes) * sizeof(float);
                if (adds)
                {
                    if (!direct) TileEpilogue.CopyTo(product.C + at, product.CStep, rows, columns, block);
                    call.Start = call.C;
                    call.StartStep = call.CStep;
                }

                Ahead(ref call, row, column, panel + 1 < panel1 ? strip - strip0 : -1);
                code.Multiply(&call, rows, columns, product.Terms);
                if (direct) continue;
                TileEpilogue.Run(
                    block, rows, columns, beta, product.C + at, product.CStep,
                    epilogue.Residual == null ? null : epilogue.Residual + (nint)row * epilogue.ResidualStride + column, epilogue.ResidualStride,
                    epilogue.Activated == null ? null : epilogue.Activated + at, epilogue.Activation);
            }
        }

        code.Release();
    }

    /// <summary>The bias of a panel's 32 columns, or null; that of a partial panel is copied, so that nothing beyond it is read.</summary>
    private readonly float* Bias(int column, int columns, float* copy)
    {
        if (product.Epilogue.Bias == null) return null;
        if (columns == Lanes) return product.Epilogue.Bias + column;
        new Span<float>(copy, Lanes).Clear();
        new Span<float>(product.Epilogue.Bias + column, columns).CopyTo(new Span<float>(copy, Lanes));
        return copy;
    }

    /// <summary>
    /// What the kernel fetches meanwhile. The next panel is dealt out in quarters to the first four strips; −1: there is none.
    /// </summary>
    private readonly void Ahead(ref TileCall call, int row, int column, int strip)
    {
        call.Target = product.C + row * product.CStep + column;
        call.TargetStep = product.CStep * sizeof(float);
        call.Second = call.Target;
        call.SecondStep = call.TargetStep;
        if (product.Epilogue.Residual != null)
        {
            call.Second = product.Epilogue.Residual + (nint)row * product.Epilogue.ResidualStride + column;
            call.SecondStep = product.Epilogue.ResidualStride * sizeof(float);
        }
        else if (product.Epilogue.Activated != null)
        {
            call.Second = product.Epilogue.Activated + row * product.CStep + column;
        }

        bool none = strip < 0 || strip >= 4;
        call.Next = none ? call.B : call.B + product.PanelStep + strip * (TileShape.SliceBytes(product.Depth, product.Terms) / 4);
    }

    private readonly byte* PackStrips(int strip0, int strip1)
    {
        nint size = TileShape.SliceBytes(product.Depth, product.Terms);
        byte* packed = Scratch.Get<byte>(ScratchUse.Strips, (strip1 - strip0) * size);
        // Rows of A's transpose are read a step at a time, through all strips, so that their cache lines are used whole.
        nint run = product.TransposedA ? TileShape.Depth : Math.Max(1, product.Depth);
        for (nint p = 0; p < product.Depth; p += run)
        {
            for (int strip = strip0; strip < strip1; strip++)
            {
                int row = strip * Lanes;
                TilePacking<T, TSource>.Pack(
                    product.A + (product.TransposedA ? row + p * product.AStep : row * product.AStep), product.AStep, !product.TransposedA,
                    lanesFirst: true, Math.Min(Lanes, product.Rows - row), Math.Min(run, product.Depth - p), product.Terms, product.Alpha,
                    packed + (strip - strip0) * size + TileShape.SliceBytes(p, product.Terms));
            }
        }

        return packed;
    }

    private readonly byte* PackLeft(int strip0, int strip1)
    {
        (int rank, int terms) = (product.Epilogue.Rank, product.Terms);
        if (rank == 0) return null;
        nint size = LowRankTerms.SliceBytes(rank, terms);
        byte* packed = Scratch.Get<byte>(ScratchUse.LeftStrips, (strip1 - strip0) * size + LowRankTerms.ScratchFloats(rank, terms) * sizeof(float));
        var scratch = (float*)(packed + (strip1 - strip0) * size);
        for (int strip = strip0; strip < strip1; strip++)
        {
            int row = strip * Lanes;
            LowRankTerms.PackLeft(
                product.Epilogue.Left + (nint)row * product.Epilogue.LeftStride, product.Epilogue.LeftStride, Math.Min(Lanes, product.Rows - row), rank,
                product.Epilogue.LowRankScale, terms, scratch, packed + (strip - strip0) * size);
        }

        return packed;
    }
}
