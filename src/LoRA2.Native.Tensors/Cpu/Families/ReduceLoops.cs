using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>
/// Reductions of x, outer × length × inner, over its middle. Along contiguous elements (inner is 1) a row is reduced at a time, else rows are folded into the result.
/// Parts share out the outer and inner positions and never one sum, so that results don't depend on the threads.
/// </summary>
internal static unsafe class ReduceLoops
{
    private const int Columns = 1024;

    /// <summary>y = Σ x, each sum along contiguous elements in double.</summary>
    public static void Sum<T>(T* x, nint outer, nint length, nint inner, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (outer == 1 && inner == 1) *y = T.CreateTruncating(Reduction.Sum(x, length));
        else Run<T, T, FloatSum<T>>(x, outer, length, inner, y);
    }

    /// <summary>y = the largest or the smallest of x. A whole array is shared out too: the extreme of its parts' extremes is its own.</summary>
    public static void Extreme<T, TExtreme>(T* x, nint outer, nint length, nint inner, T* y)
        where T : unmanaged, INumber<T>
        where TExtreme : struct, IExtreme<T>
    {
        if (outer == 1 && inner == 1 && length > SimdTask.BlockElements)
        {
            int parts = SimdTask.Parts(length);
            T* partials = Scratch.Get<T>(ScratchSlot.Partials, parts);
            ThreadTeam.Run(parts, new BlockTask<T, TExtreme>(x, length, partials));
            x = partials;
            length = parts;
        }

        Run<T, T, Extreme<T, TExtreme>>(x, outer, length, inner, y);
    }

    /// <summary>y = the reduction of x that <typeparamref name="TFold"/> is.</summary>
    public static void Run<T, TResult, TFold>(T* x, nint outer, nint length, nint inner, TResult* y)
        where T : unmanaged
        where TResult : unmanaged
        where TFold : struct, IFold<T, TResult>
    {
        if (inner == 1)
        {
            nint rows = SimdTask.RowsPerPart(length);
            ThreadTeam.Run(SimdTask.Parts(outer, rows), new RowTask<T, TResult, TFold>(x, outer, length, rows, y));
            return;
        }

        int pieces = SimdTask.Parts(inner, Columns);
        ThreadTeam.Run(checked((int)outer * pieces), new ColumnTask<T, TResult, TFold>(x, length, inner, pieces, y));
    }

    private readonly struct BlockTask<T, TExtreme>(T* x, nint length, T* partials) : IParallelTask
        where T : unmanaged, INumber<T>
        where TExtreme : struct, IExtreme<T>
    {
        public void Run(int index)
        {
            nint start = (nint)index * SimdTask.BlockElements;
            partials[index] = ExtremeRow.Of<T, TExtreme>(new ReadOnlySpan<T>(x + start, (int)Math.Min(SimdTask.BlockElements, length - start)));
        }
    }

    private readonly struct RowTask<T, TResult, TFold>(T* x, nint outer, nint length, nint rows, TResult* y) : IParallelTask
        where T : unmanaged
        where TResult : unmanaged
        where TFold : struct, IFold<T, TResult>
    {
        public void Run(int index)
        {
            nint end = Math.Min(outer, (index + 1) * rows);
            for (nint r = index * rows; r < end; r++) y[r] = TFold.Row(new ReadOnlySpan<T>(x + (r * length), checked((int)length)));
        }
    }

    private readonly struct ColumnTask<T, TResult, TFold>(T* x, nint length, nint inner, int pieces, TResult* y) : IParallelTask
        where T : unmanaged
        where TResult : unmanaged
        where TFold : struct, IFold<T, TResult>
    {
        public void Run(int index)
        {
            (nint o, nint piece) = Math.DivRem(index, pieces);
            nint from = piece * Columns;
            int width = (int)Math.Min(Columns, inner - from);
            TFold.Columns(x + (o * length * inner) + from, length, inner, width, y + (o * inner) + from);
        }
    }
}
