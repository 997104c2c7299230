using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>Adds one row, such as a bias, to every row of a matrix.</summary>
internal static unsafe class AddRow
{
    /// <summary>output[r, c] = a[r, c] + row[c]. The output may be <paramref name="a"/>.</summary>
    public static void Run<T>(T* a, T* row, nint rows, nint columns, T* output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (rows == 0 || columns == 0) return;
        SimdTask.Run<T, RowsTask<T>>(SimdTask.Parts(rows, SimdTask.RowsPerPart(columns)), new(a, row, rows, columns, output));
    }

    private readonly struct RowsTask<T>(T* a, T* row, nint rows, nint columns, T* output) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint block = SimdTask.RowsPerPart(columns);
            nint end = Math.Min(rows, (index + 1) * block);
            for (nint r = index * block; r < end; r++)
            {
                T* from = a + (r * columns);
                T* to = output + (r * columns);
                nint c = 0;
                for (; c <= columns - TSimd.Count; c += TSimd.Count)
                    TSimd.Store(TSimd.Load(from + c) + TSimd.Load(row + c), to + c);
                int rest = (int)(columns - c);
                if (rest > 0)
                    TSimd.StorePartial(TSimd.LoadPartial(from + c, rest, default) + TSimd.LoadPartial(row + c, rest, default), to + c, rest);
            }
        }
    }
}
