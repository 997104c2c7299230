using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Reductions;

/// <summary>Sums over whole rows and arrays, accumulated in double, in orders that the sizes alone decide. Blocks are of <see cref="BlockReduction.Threads"/> threads.</summary>
[KernelFamily]
internal static unsafe class Reductions
{
    /// <summary>sums[r] = Σ_c x[r, c], a block a row.</summary>
    public static void Rows(nint x, nint sums, uint columns)
    {
        uint row = (uint)Grid.IdxX;
        double sum = BlockReduction.Sum(SumOf((float*)x + (row * columns), columns));
        if (Group.IdxX == 0) ((float*)sums)[row] = (float)sum;
    }

    /// <summary>partials[r · parts + p] = the sum of part p of row r, of <paramref name="length"/> columns; a block each.</summary>
    public static void Parts(nint x, nint partials, uint columns, uint length, uint parts)
    {
        uint block = (uint)Grid.IdxX;
        uint row = block / parts;
        uint first = (block - (row * parts)) * length;
        uint count = columns - first < length ? columns - first : length;
        double sum = BlockReduction.Sum(SumOf((float*)x + (row * columns) + first, count));
        if (Group.IdxX == 0) ((double*)partials)[block] = sum;
    }

    /// <summary>sums[r] = (Σ_p partials[r · parts + p]) / divisor, a block a row.</summary>
    public static void Finish(nint partials, uint parts, double divisor, nint sums)
    {
        uint row = (uint)Grid.IdxX;
        double sum = BlockReduction.Sum(SumOf((double*)partials + (row * parts), parts));
        if (Group.IdxX == 0) ((float*)sums)[row] = (float)(sum / divisor);
    }

    /// <summary>The same of one row, in double.</summary>
    public static void FinishDouble(nint partials, uint parts, nint sum)
    {
        double total = BlockReduction.Sum(SumOf((double*)partials, parts));
        if (Group.IdxX == 0) *(double*)sum = total;
    }

    /// <summary>partials[b] = the sum of the squares of piece b of many arrays, whose record is its address and its number of elements (16 bytes).</summary>
    public static void Squares(nint records, nint partials)
    {
        uint block = (uint)Grid.IdxX;
        nint record = records + (nint)(16UL * block);
        float* x = (float*)*(long*)record;
        uint count = *(uint*)(record + 8);
        double sum = 0;
        for (uint i = (uint)Group.IdxX; i < count; i += BlockReduction.Threads) sum += (double)x[i] * x[i];
        sum = BlockReduction.Sum(sum);
        if (Group.IdxX == 0) ((double*)partials)[block] = sum;
    }

    /// <summary>Sets the flag, an uint, where an element is NaN or infinite.</summary>
    public static void NotFinite(nint x, nint flag, uint vectors, uint count)
    {
        Float4* x4 = (Float4*)x;
        for (uint i = Threads.First; i < vectors; i += Threads.Count)
        {
            Float4 v = x4[i];
            // 0 for finite numbers, NaN for all others.
            if (((v.X * 0) + (v.Y * 0) + ((v.Z * 0) + (v.W * 0))) != 0) *(uint*)flag = 1;
        }

        float* x1 = (float*)x;
        for (uint i = (4 * vectors) + Threads.First; i < count; i += Threads.Count)
        {
            if (Single.IsNotFinite(x1[i])) *(uint*)flag = 1;
        }
    }

    /// <summary>This thread's share of a sum.</summary>
    private static double SumOf(float* x, uint count)
    {
        double sum = 0;
        for (uint i = (uint)Group.IdxX; i < count; i += BlockReduction.Threads) sum += x[i];
        return sum;
    }

    private static double SumOf(double* x, uint count)
    {
        double sum = 0;
        for (uint i = (uint)Group.IdxX; i < count; i += BlockReduction.Threads) sum += x[i];
        return sum;
    }
}
