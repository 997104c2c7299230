using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Training;

/// <summary>LoRA2's factors: u [inputs, k], v [k, r], λ [r], 𝒰 [r, k]; u M with M = v diag(λ) 𝒰, and its gradient.</summary>
[KernelFamily]
internal static unsafe class Adapters
{
    /// <summary>Values of M that a block has in shared memory.</summary>
    private const int Shared = 4096;

    /// <summary>The most columns of which a chunk of 64 rows has room in shared memory.</summary>
    private const int MostStaged = Shared / 64;

    /// <summary>middle = v diag(λ) 𝒰 and folded = u · middle: blocks are rows of u × columns of M, which each computes for itself; k columns of its M are at most <see cref="Shared"/> values.</summary>
    public static void Fold(nint u, nint v, nint lambda, nint right, nint middle, nint folded, uint rows, uint k, uint r, uint rowsPerBlock, uint columnsPerBlock)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(Shared);
        uint first = (uint)Grid.IdxY * columnsPerBlock, thread = (uint)Group.IdxX, threads = (uint)Group.DimX;
        uint columns = k - first < columnsPerBlock ? k - first : columnsPerBlock;
        for (uint e = thread; e < k * columns; e += threads)
        {
            uint row = e / columns, column = first + e - (row * columns);
            float sum = 0;
            for (uint i = 0; i < r; i++) sum = Single.MultiplyAdd(((float*)v)[(row * r) + i] * ((float*)lambda)[i], ((float*)right)[(i * k) + column], sum);
            shared[(int)e] = sum;
            if (Grid.IdxX == 0) ((float*)middle)[(row * k) + column] = sum;
        }

        Group.Barrier();
        uint firstRow = (uint)Grid.IdxX * rowsPerBlock, here = 0;
        if (firstRow < rows) here = rows - firstRow < rowsPerBlock ? rows - firstRow : rowsPerBlock;
        for (uint e = thread; e < here * columns; e += threads)
        {
            uint row = e / columns, column = e - (row * columns), from = (firstRow + row) * k;
            float sum = 0;
            for (uint p = 0; p < k; p++) sum = Single.MultiplyAdd(((float*)u)[from + p], shared[(int)((p * columns) + column)], sum);
            ((float*)folded)[from + first + column] = sum;
        }
    }

    /// <summary>
    /// reciprocal[j] = 1 / √(squared[j] + Σ_i b[j, i] (twice · linear[i, j] + square · quadratic[i, j])), in double: DoRA's norms, where twice is 2 s and square is s².
    /// </summary>
    public static void ReciprocalNorms(nint squared, nint b, nint linear, nint quadratic, double twice, double square, nint reciprocal, uint outputs, uint rank)
    {
        for (uint j = Threads.First; j < outputs; j += Threads.Count)
        {
            double sum = ((double*)squared)[j];
            for (uint i = 0; i < rank; i++)
            {
                uint at = (i * outputs) + j;
                sum += ((float*)b)[(j * rank) + i] * ((twice * ((float*)linear)[at]) + (square * ((float*)quadratic)[at]));
            }

            ((float*)reciprocal)[j] = (float)(1 / Math.Sqrt(sum));
        }
    }

    /// <summary>
    /// What a chunk of rows of u [rows, k] and of folded's gradient g gives, by a block each: partials[chunk] = uᵀ g, and of u's own gradient, where it has an address, these rows of
    /// g · middleᵀ, which are added to what is there if <paramref name="adds"/>. Up to <see cref="MostStaged"/> columns g is alpha · Σ parts, in order, which the block adds up; its strides
    /// are for a part, a row and a column. Beyond that it is one part, by rows.
    /// </summary>
    public static void FoldGradient(
        nint u, nint g, uint parts, uint partStride, uint rowStride, uint columnStride, float alpha, nint middle, nint partials, nint du, int adds, uint rows, uint k, uint rowsPerChunk)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(Shared);
        uint first = (uint)Grid.IdxX * rowsPerChunk, thread = (uint)Group.IdxX, threads = (uint)Group.DimX;
        uint here = rows - first < rowsPerChunk ? rows - first : rowsPerChunk;
        bool staged = k <= MostStaged;
        if (staged)
        {
            for (uint e = thread; e < here * k; e += threads)
            {
                // Neighbouring threads have neighbouring rows, as the parts have.
                uint column = e / here, row = e - (column * here), at = ((first + row) * rowStride) + (column * columnStride);
                float sum = 0;
                for (uint part = 0; part < parts; part++, at += partStride) sum += ((float*)g)[at];
                shared[(int)((row * k) + column)] = alpha * sum;
            }

            Group.Barrier();
        }

        float* own = (float*)g + (first * k);
        float* outer = (float*)u + (first * k);
        float* to = (float*)partials + ((uint)Grid.IdxX * k * k);
        for (uint e = thread; e < k * k; e += threads)
        {
            uint i = e / k, j = e - (i * k);
            float sum = 0;
            for (uint row = 0; row < here; row++) sum = Single.MultiplyAdd(outer[(row * k) + i], Element(staged, shared, own, (row * k) + j), sum);
            to[e] = sum;
        }

        if (du == 0) return;
        for (uint e = thread; e < here * k; e += threads)
        {
            uint row = e / k, column = e - (row * k);
            float sum = 0;
            for (uint p = 0; p < k; p++) sum = Single.MultiplyAdd(Element(staged, shared, own, (row * k) + p), ((float*)middle)[(column * k) + p], sum);
            Put((float*)du, (first * k) + e, sum, adds);
        }
    }

    /// <summary>
    /// From ∂M = Σ partials, in order: ∂v = ∂M 𝒰ᵀ Λ, ∂λ_i = (vᵀ ∂M 𝒰ᵀ)_ii and ∂𝒰 = Λ vᵀ ∂M, each where it has an address; added to what is there if
    /// <paramref name="adds"/>. One block; work has room for k² + k r values.
    /// </summary>
    public static void Inner(
        nint v, nint lambda, nint right, nint partials, uint chunks, nint work, nint dv, nint dlambda, nint dright, int adds, uint k, uint r)
    {
        uint thread = (uint)Group.IdxX;
        uint threads = (uint)Group.DimX;
        float* middle = (float*)work;
        float* product = middle + (k * k);
        for (uint e = thread; e < k * k; e += threads)
        {
            float sum = 0;
            for (uint chunk = 0; chunk < chunks; chunk++) sum += ((float*)partials)[(chunk * k * k) + e];
            middle[e] = sum;
        }

        Group.Barrier();
        for (uint e = thread; e < k * r; e += threads)
        {
            uint j = e / r;
            uint i = e - (j * r);
            float sum = 0;
            for (uint c = 0; c < k; c++) sum = Single.MultiplyAdd(middle[(j * k) + c], ((float*)right)[(i * k) + c], sum);
            product[e] = sum;
            if (dv != 0) Put((float*)dv, e, sum * ((float*)lambda)[i], adds);
        }

        Group.Barrier();
        if (dlambda != 0)
        {
            for (uint i = thread; i < r; i += threads)
            {
                float sum = 0;
                for (uint j = 0; j < k; j++) sum += product[(j * r) + i] * ((float*)v)[(j * r) + i];
                Put((float*)dlambda, i, sum, adds);
            }
        }

        if (dright == 0) return;
        for (uint e = thread; e < r * k; e += threads)
        {
            uint i = e / k;
            uint c = e - (i * k);
            float sum = 0;
            for (uint j = 0; j < k; j++) sum = Single.MultiplyAdd(((float*)v)[(j * r) + i] * ((float*)lambda)[i], middle[(j * k) + c], sum);
            Put((float*)dright, e, sum, adds);
        }
    }

    private static float Element(bool staged, ArrayView<float> shared, float* own, uint at)
    {
        float value = 0;
        if (staged) value = shared[(int)at];
        else value = own[at];
        return value;
    }

    private static void Put(float* to, uint at, float value, int adds) => to[at] = adds != 0 ? to[at] + value : value;
}
