using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Training;

/// <summary>Importances of singular values, and what is done to them by it.</summary>
[KernelFamily]
internal static unsafe class Importance
{
    /// <summary>
    /// scores = the importances of many scorers, block (singular value, scorer) of <see cref="BlockReduction.Threads"/> threads. A scorer's record is of 16 bytes: its first
    /// term, the number of its terms, its rank and its first score. A term's is of 32: the addresses of its averages and uncertainties; the number of elements that
    /// count for one singular value, the distances from one of them to the next and from those of one singular value to those of the next, and the divisor. The
    /// threads make the products, and one adds them up in order, as the CPU does.
    /// </summary>
    public static void Scores(nint scorers, nint terms, nint scores)
    {
        ArrayView<double> products = SharedMemory.Allocate<double>(BlockReduction.Threads);
        uint* scorer = (uint*)(scorers + (nint)(16UL * (uint)Grid.IdxY));
        uint index = (uint)Grid.IdxX;
        uint thread = (uint)Group.IdxX;
        if (index >= scorer[2]) return;
        double score = 0;
        uint end = scorer[0] + scorer[1];
        for (uint i = scorer[0]; i < end; i++)
        {
            nint term = terms + (nint)(32UL * i);
            float* average = (float*)((long*)term)[0];
            float* uncertainty = (float*)((long*)term)[1];
            uint length = ((uint*)term)[4];
            uint along = ((uint*)term)[5];
            ulong first = (ulong)index * ((uint*)term)[6];
            double sum = 0;
            for (uint start = 0; start < length; start += BlockReduction.Threads)
            {
                uint j = start + thread;
                double product = 0;
                if (j < length)
                {
                    ulong at = first + ((ulong)j * along);
                    product = (double)average[at] * uncertainty[at];
                }

                // The products of the chunk before were added up.
                Group.Barrier();
                products[Group.IdxX] = product;
                Group.Barrier();
                if (thread == 0)
                {
                    uint left = length - start;
                    int count = left < BlockReduction.Threads ? (int)left : BlockReduction.Threads;
                    // What is beyond the last product is 0, and changes no sum.
                    for (int p = 0; p < count; p += 4) sum = sum + products[p] + products[p + 1] + products[p + 2] + products[p + 3];
                }
            }

            score += sum / ((uint*)term)[7];
        }

        if (thread == 0) ((double*)scores)[scorer[3] + index] = score;
    }

    /// <summary>
    /// Sets to 0 the elements of many arrays whose kept (an uint) is 0, a block a piece. A piece's record is of 16 bytes: its address, the number of its elements, and
    /// the place of the first among all.
    /// </summary>
    public static void Prune(nint records, nint kept)
    {
        nint record = records + (nint)(16UL * (uint)Grid.IdxX);
        float* x = (float*)*(long*)record;
        uint count = ((uint*)record)[2];
        uint* own = (uint*)kept + ((uint*)record)[3];
        for (uint i = (uint)Group.IdxX; i < count; i += (uint)Group.DimX)
        {
            if (own[i] == 0) x[i] = 0;
        }
    }
}
