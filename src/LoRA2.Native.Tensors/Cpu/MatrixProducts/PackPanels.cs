using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>Packs a right operand's panels, some of them a part.</summary>
internal unsafe readonly struct PackPanels<T> : IParallelTask
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int PanelsPerPart = 4;
    private const int SmallestParallel = 64 * 1024;
    private readonly T* source;
    private readonly T* destination;
    private readonly nint step;
    private readonly nint depth;
    private readonly int columns;
    private readonly int width;
    private readonly int columnsPerPart;
    private readonly bool transposed;

    private PackPanels(T* source, nint step, bool transposed, nint depth, int columns, int width, T* destination, int columnsPerPart)
    {
        this.columnsPerPart = columnsPerPart;
        this.source = source;
        this.step = step;
        this.transposed = transposed;
        this.depth = depth;
        this.columns = columns;
        this.width = width;
        this.destination = destination;
    }

    /// <summary>
    /// Packs a matrix of <paramref name="depth"/> × <paramref name="columns"/>, stored by columns if <paramref name="transposed"/>.
    /// </summary>
    public static void All(T* source, nint step, bool transposed, nint depth, int columns, int width, T* destination)
    {
        if (depth == 0 || columns == 0) return;
        int panelsPerPart = depth * columns < SmallestParallel ? int.MaxValue / width : PanelsPerPart;
        int parts = (int)((columns + (long)width * panelsPerPart - 1) / ((long)width * panelsPerPart));
        ThreadTeam.Run(parts, new PackPanels<T>(source, step, transposed, depth, columns, width, destination, width * panelsPerPart));
    }

    public void Run(int index)
    {
        int first = index * columnsPerPart, end = (int)Math.Min(columns, (long)first + columnsPerPart);
        nint run = transposed ? depth : Packing<T>.Run;
        for (nint p = 0; p < depth; p += run)
        {
            for (int column = first; column < end; column += width)
            {
                T* from = source + (transposed ? column * step : column + p * step);
                T* to = destination + column * depth + p * width;
                Packing<T>.Pack(from, step, transposed, Math.Min(run, depth - p), Math.Min(width, columns - column), width, to);
            }
        }
    }
}
