using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>
/// A product of rows rounded to bytes and a rounded weight, split into blocks of C, one a part. Within a part panels of 32 columns are the outer loop, strips of 32 rows the inner one, so that a panel stays in the caches
/// next to the sums and the part's rows in the second.
/// </summary>
internal readonly unsafe struct ByteTask : IParallelTask
{
    private const int Lanes = TileShape.Lanes;

    /// <summary>Bytes of rounded rows in a part: half a second-level cache.</summary>
    private const int PartBytes = 256 * 1024;

    /// <summary>Strips over which fetching the next panel is dealt out.</summary>
    private const int FetchingStrips = 4;

    /// <summary>Multiplications below which waking another thread does not pay.</summary>
    private const double SmallestParallel = 2 * 1024 * 1024;

    private readonly int rows;
    private readonly int columns;
    private readonly byte* a;
    private readonly byte* b;
    private readonly nint steps;
    private readonly ByteEpilogue whole;
    private readonly Epilogue<float> epilogue;
    private readonly PartGrid grid;
    private readonly BytePath path;

    /// <param name="rows">Rows of C.</param>
    /// <param name="depth">Length of the sums.</param>
    /// <param name="a">Rows rounded by <see cref="ByteRounding"/>.</param>
    /// <param name="b">The weight, in bytes.</param>
    /// <param name="whole">What C receives.</param>
    /// <param name="epilogue">What is added, but for the bias and a low-rank term.</param>
    /// <param name="threads">Threads there are.</param>
    public ByteTask(int rows, int depth, byte* a, Int8PackedMatrix b, in ByteEpilogue whole, in Epilogue<float> epilogue, int threads)
    {
        (this.rows, this.whole, this.epilogue) = (rows, whole, epilogue);
        // Decided here: parts may run on other threads.
        path = ByteCode.Current;
        this.a = a;
        this.b = (byte*)b.Panels;
        columns = b.Columns;
        steps = ByteRounding.Steps(depth);
        int strips = TileShape.Slices(rows);
        grid = new PartGrid(strips, TileShape.Slices(columns), (int)Math.Min(strips, (strips * ByteRounding.StripBytes(depth) / PartBytes) + 1));
        if (threads > 1 && (double)rows * columns * depth >= SmallestParallel) grid = grid.Over(threads, 2, 4);
    }

    public int Parts => grid.Parts;

    [SkipLocalsInit]
    public void Run(int index)
    {
        (int strip0, int strip1, int panel0, int panel1) = grid[index];
        float* memory = stackalloc float[TileShape.BlockFloats];
        nint slice = steps * BlockCode.GroupBytes;
        ByteEpilogue part = whole;
        part.Block = (int*)TileShape.Align(memory);
        var call = new TileCall { Steps = steps, C = (float*)part.Block, CStep = Lanes * sizeof(int), TargetStep = whole.CStep * sizeof(float) };
        ByteCode.Configure(path);
        for (int panel = panel0; panel < panel1; panel++)
        {
            int column = panel * Lanes;
            part.Columns = Math.Min(Lanes, columns - column);
            part.ColumnScales = whole.ColumnScales + column;
            part.ColumnSums = whole.ColumnSums + column;
            if (whole.Bias != null) part.Bias = whole.Bias + column;
            call.B = b + (panel * slice);
            for (int strip = strip0; strip < strip1; strip++)
            {
                int row = strip * Lanes, fetching = strip - strip0;
                part.Rows = Math.Min(Lanes, rows - row);
                part.RowScales = whole.RowScales + row;
                part.RowOffsets = whole.RowOffsets + row;
                part.C = whole.C + (row * whole.CStep) + column;
                part.CStep = whole.CStep;
                call.A = a + (strip * slice);
                call.Target = part.C;
                call.Second = part.C;
                call.SecondStep = call.TargetStep;
                if (epilogue.Residual != null)
                {
                    part.ResidualStep = epilogue.ResidualStride;
                    call.Second = part.Residual = epilogue.Residual + ((nint)row * part.ResidualStep) + column;
                    call.SecondStep = part.ResidualStep * sizeof(float);
                }

                call.Next = panel + 1 < panel1 && fetching < FetchingStrips ? call.B + slice + (fetching * slice / FetchingStrips) : call.B;
                ByteCode.Multiply(path, &call, part.Rows, part.Columns);
                // A result that only its activation needs stays in the block: rows of C may share few places in the first-level cache.
                if (epilogue.Activated == whole.C && whole.Beta == 0)
                {
                    part.C = (float*)part.Block;
                    part.CStep = Lanes;
                }

                part.Run();
                if (epilogue.Activated == null) continue;
                float* activated = epilogue.Activated + (row * whole.CStep) + column;
                new TileFinish<float>(null, null, 0, activated, whole.CStep, epilogue.Activation, part.C, part.CStep, part.Rows, part.Columns).RunIn8Bits();
            }
        }

        ByteCode.Release(path);
    }
}
