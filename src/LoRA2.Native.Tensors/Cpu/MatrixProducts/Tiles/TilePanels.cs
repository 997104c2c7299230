namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>Packs a right operand's panels, some of them a part.</summary>
internal unsafe readonly struct TilePanels<T, TSource> : IParallelTask
    where T : unmanaged
    where TSource : unmanaged, ITileSource<T>
{
    private const int PanelsPerPart = 4;
    private const int SmallestParallel = 64 * 1024;

    private readonly T* source;
    private readonly nint step;
    private readonly bool transposed;
    private readonly nint depth;
    private readonly int columns;
    private readonly int terms;
    private readonly int panelsPerPart;
    private readonly byte* destination;

    private TilePanels(T* source, nint step, bool transposed, nint depth, int columns, int terms, int panelsPerPart, byte* destination)
    {
        this.source = source;
        this.step = step;
        this.transposed = transposed;
        this.depth = depth;
        this.columns = columns;
        this.terms = terms;
        this.panelsPerPart = panelsPerPart;
        this.destination = destination;
    }

    /// <summary>
    /// Packs a matrix of <paramref name="depth"/> × <paramref name="columns"/>, stored by columns if <paramref name="transposed"/>.
    /// </summary>
    public static void All(T* source, nint step, bool transposed, nint depth, int columns, int terms, byte* destination)
    {
        if (depth == 0 || columns == 0) return;
        int panels = TileShape.Slices(columns), perPart = depth * columns < SmallestParallel ? panels : PanelsPerPart;
        var task = new TilePanels<T, TSource>(source, step, transposed, depth, columns, terms, perPart, destination);
        ThreadTeam.Run((panels + perPart - 1) / perPart, task);
    }

    public void Run(int index)
    {
        nint size = TileShape.SliceBytes(depth, terms);
        int panels = TileShape.Slices(columns), end = Math.Min(panels, (index + 1) * panelsPerPart);
        nint run = transposed ? depth : TileShape.Depth;
        for (nint p = 0; p < depth; p += run)
        {
            for (int panel = index * panelsPerPart; panel < end; panel++)
            {
                int column = panel * TileShape.Lanes;
                TilePacking<T, TSource>.Pack(
                    source + (transposed ? column * step : column + p * step), step, transposed, lanesFirst: false,
                    Math.Min(TileShape.Lanes, columns - column), Math.Min(run, depth - p), terms, 1,
                    destination + panel * size + TileShape.SliceBytes(p, terms));
            }
        }
    }
}
