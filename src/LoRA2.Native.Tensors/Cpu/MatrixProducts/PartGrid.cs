namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>How a product is split: C in strips of rows and panels of columns, of which a part has a run of each.</summary>
internal readonly struct PartGrid
{
    private readonly int strips;
    private readonly int panels;
    private readonly int rowParts;
    private readonly int columnParts;

    /// <summary>Parts of all panels each, as for one thread.</summary>
    /// <param name="strips">Strips of C.</param>
    /// <param name="panels">Panels of C.</param>
    /// <param name="rowParts">Runs of strips, 1 or more: so many that the rows of A of one fit a cache.</param>
    public PartGrid(int strips, int panels, int rowParts)
        : this(strips, panels, rowParts, 1)
    {
    }

    private PartGrid(int strips, int panels, int rowParts, int columnParts) =>
        (this.strips, this.panels, this.rowParts, this.columnParts) = (strips, panels, rowParts, columnParts);

    /// <summary>How many parts there are.</summary>
    public int Parts => rowParts * columnParts;

    /// <summary>The same for several threads: at least so many parts for each, of runs of so many strips if there are enough, else of panels too.</summary>
    public PartGrid Over(int threads, int partsEach, int leastStrips)
    {
        int wanted = threads * partsEach, rows = Math.Min(strips, Math.Max(rowParts, Math.Min(wanted, Divide(strips, leastStrips))));
        rows = Math.Min(strips, Divide(rows, threads) * threads);
        return new PartGrid(strips, panels, rows, rows < wanted ? Math.Min(panels, Divide(wanted, rows)) : 1);
    }

    /// <summary>The strips and panels of a part; the ends are not among them.</summary>
    public (int Strip, int EndStrip, int Panel, int EndPanel) this[int part]
    {
        get
        {
            int row = part / columnParts, column = part % columnParts;
            return (Share(strips, row, rowParts), Share(strips, row + 1, rowParts), Share(panels, column, columnParts), Share(panels, column + 1, columnParts));
        }
    }

    /// <summary>How many of a size it takes to hold a number.</summary>
    public static int Divide(int number, int size) => (int)(((long)number + size - 1) / size);

    private static int Share(int all, int part, int parts) => (int)((long)all * part / parts);
}
