using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>Rows of a table by number, and the gradient's way back. The caller has checked that every id is a row of the table.</summary>
internal static unsafe class EmbeddingRows
{
    /// <summary>output[i, :] = table[ids[i], :], for elements of any type.</summary>
    public static void Gather<T>(T* table, int* ids, nint count, nint columns, T* output)
        where T : unmanaged
    {
        if (count == 0 || columns == 0) return;
        ThreadTeam.Run(SimdTask.Parts(count, SimdTask.RowsPerPart(columns)), new GatherTask<T>(table, ids, count, columns, output));
    }

    /// <summary>
    /// table[ids[i], :] += gradient[i, :] for i in order, except where ids[i] is <paramref name="skip"/> (a padding id; −1 skips none).
    /// A part takes a strip of columns, so equal ids never meet on two threads.
    /// </summary>
    public static void ScatterAdd<T>(T* gradient, int* ids, nint count, nint columns, int skip, T* table)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ScatterTask<T> task = new(gradient, ids, count, columns, skip, table);
        int parts = SimdTask.Parts(columns, Strip);
        if (count * columns > SimdTask.BlockElements)
        {
            SimdTask.Run<T, ScatterTask<T>>(parts, task);
            return;
        }

        for (int i = 0; i < parts; i++) SimdTask.RunPart<T, ScatterTask<T>>(task, i);
    }

    private const int Strip = 128;

    private readonly struct GatherTask<T>(T* table, int* ids, nint count, nint columns, T* output) : IParallelTask
        where T : unmanaged
    {
        public void Run(int index)
        {
            nint block = SimdTask.RowsPerPart(columns);
            nint end = Math.Min(count, (index + 1) * block);
            nuint bytes = (nuint)(columns * sizeof(T));
            for (nint i = index * block; i < end; i++) NativeMemory.Copy(table + (ids[i] * columns), output + (i * columns), bytes);
        }
    }

    private readonly struct ScatterTask<T>(T* gradient, int* ids, nint count, nint columns, int skip, T* table) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint first = (nint)index * Strip;
            nint end = Math.Min(columns, first + Strip);
            for (nint i = 0; i < count; i++)
            {
                if (ids[i] == skip) continue;
                T* from = gradient + (i * columns);
                T* to = table + (ids[i] * columns);
                nint c = first;
                for (; c <= end - TSimd.Count; c += TSimd.Count) TSimd.Store(TSimd.Load(to + c) + TSimd.Load(from + c), to + c);
                int rest = (int)(end - c);
                if (rest > 0)
                    TSimd.StorePartial(TSimd.LoadPartial(to + c, rest, default) + TSimd.LoadPartial(from + c, rest, default), to + c, rest);
            }
        }
    }
}
