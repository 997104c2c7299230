using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Rows;

/// <summary>Rows of a table by number, and the gradient's way back. A number that is no row of the table stands for a row of zeros.</summary>
[KernelFamily]
internal static unsafe class Embedding
{
    /// <summary>Columns of a strip.</summary>
    private const uint Columns = 4 * BlockReduction.Threads;

    /// <summary>y[i] = table[ids[i]], of fours: <paramref name="vectors"/> a row and <paramref name="count"/> in all.</summary>
    public static void GatherFours(nint table, nint ids, nint y, uint tableRows, uint vectors, uint count)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            uint row = i / vectors;
            uint id = ((uint*)ids)[row];
            ((Float4*)y)[i] = id < tableRows ? ((Float4*)table)[((ulong)id * vectors) + (i - (row * vectors))] : new Float4(0, 0, 0, 0);
        }
    }

    /// <summary>y[i] = table[ids[i]].</summary>
    public static void Gather(nint table, nint ids, nint y, uint tableRows, uint columns, uint count)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            uint row = i / columns;
            uint id = ((uint*)ids)[row];
            ((float*)y)[i] = id < tableRows ? ((float*)table)[((ulong)id * columns) + (i - (row * columns))] : 0;
        }
    }

    /// <summary>
    /// dtable[ids[i]] += dy[i] in the order of i, but for ids of <paramref name="padding"/>. Block (i, strip) is that of the first i with its id: it adds up the rows
    /// of all i with that id, and the others have nothing to do.
    /// </summary>
    public static void ScatterAdd(nint dy, nint ids, nint dtable, uint tableRows, uint padding, uint columns, uint count)
    {
        ArrayView<uint> matches = SharedMemory.Allocate<uint>(BlockReduction.Threads);
        uint thread = (uint)Group.IdxX;
        uint first = (uint)Grid.IdxX;
        uint* all = (uint*)ids;
        uint id = all[first];
        if (id == padding || id >= tableRows) return;
        bool earlier = false;
        for (uint i = thread; i < first; i += BlockReduction.Threads) earlier |= all[i] == id;
        if (Group.BarrierOr(earlier)) return;
        float* to = (float*)dtable + ((ulong)id * columns);
        uint c0 = ((uint)Grid.IdxY * Columns) + thread;
        uint c1 = c0 + BlockReduction.Threads, c2 = c1 + BlockReduction.Threads, c3 = c2 + BlockReduction.Threads;
        float s0 = c0 < columns ? to[c0] : 0;
        float s1 = c1 < columns ? to[c1] : 0;
        float s2 = c2 < columns ? to[c2] : 0;
        float s3 = c3 < columns ? to[c3] : 0;
        for (uint start = first; start < count; start += BlockReduction.Threads)
        {
            bool match = start + thread < count && all[start + thread] == id;
            matches[(int)thread] = match ? 1u : 0u;
            uint end = Group.BarrierOr(match) ? BlockReduction.Threads : 0u;
            for (uint i = 0; i < end; i++)
            {
                if (matches[(int)i] == 0) continue;
                float* from = (float*)dy + ((ulong)(start + i) * columns);
                if (c0 < columns) s0 += from[c0];
                if (c1 < columns) s1 += from[c1];
                if (c2 < columns) s2 += from[c2];
                if (c3 < columns) s3 += from[c3];
            }

            Group.Barrier();
        }

        if (c0 < columns) to[c0] = s0;
        if (c1 < columns) to[c1] = s1;
        if (c2 < columns) to[c2] = s2;
        if (c3 < columns) to[c3] = s3;
    }
}
