namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>How one head's blocks lie in a thread's scratch memory. Steps are elements between rows.</summary>
internal readonly struct AttentionLayout
{
    /// <summary>Elements beside a row of scores that sheared products may touch: a tile's rows and a panel's columns, less one each.</summary>
    public const int Margin = 64;

    private const int MostQueries = 128;
    private const int BlockElements = MostQueries * 512;

    /// <param name="length">Length of the sequences.</param>
    /// <param name="size">Width of a head.</param>
    /// <param name="panel">Columns of a panel.</param>
    public AttentionLayout(int length, int size, int panel)
    {
        Length = length;
        Size = size;
        Panel = panel;
        Queries = Math.Min(length, Math.Clamp(BlockElements / Math.Max(1, length) / 32 * 32, 32, MostQueries));
        Step = RoundUp(size, panel);
        ScoreStep = StepOf(length);
        TransposedStep = StepOf(Queries);
    }

    public int Length { get; }

    public int Size { get; }

    public int Panel { get; }

    /// <summary>Most query rows of a block of scores: bounded, so that the block stays in the second-level cache and memory grows with the length alone.</summary>
    public int Queries { get; }

    /// <summary>Distances between two tokens.</summary>
    public int Distances => Math.Max(0, (2 * Length) - 1);

    /// <summary>The layout of a head's queries, keys, values and position rows.</summary>
    public int Step { get; }

    /// <summary>The layout of a block of scores: query rows by keys.</summary>
    public int ScoreStep { get; }

    /// <summary>The layout of a block of scores' transpose: key rows by queries.</summary>
    public int TransposedStep { get; }

    /// <summary>Elements of the rows of one head.</summary>
    public nint Rows(int count) => (nint)count * Step;

    /// <summary>Elements of the panels of the transpose of one head's rows.</summary>
    public nint Panels(int count) => (nint)RoundUp(count, Panel) * Size;

    /// <summary>Elements of a block of scores, margins included; a row more than it has holds what spills from the last.</summary>
    public static nint Block(int rows, int step) => (nint)(rows + 1) * step;

    private static int StepOf(int columns)
    {
        // Steps of a multiple of 1 KiB would put a column of the block into few sets of the cache.
        int step = RoundUp(columns, 16) + (2 * Margin);
        return step % 256 == 0 ? step + 16 : step;
    }

    private static int RoundUp(int count, int multiple) => (count + multiple - 1) / multiple * multiple;
}
