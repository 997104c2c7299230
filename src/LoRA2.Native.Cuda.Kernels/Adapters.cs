using ILGPU;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>LoRA2's factors: u [inputs, k], v [k, r], λ [r], 𝒰 [r, k]; u M with M = v diag(λ) 𝒰, and its gradient.</summary>
[KernelFamily]
internal static unsafe class Adapters
{
    /// <summary>middle = v diag(λ) 𝒰.</summary>
    public static void Middle(nint v, nint lambda, nint right, nint middle, uint k, uint r)
    {
        for (uint e = Threads.First; e < k * k; e += Threads.Count)
        {
            uint row = e / k;
            uint column = e - (row * k);
            float sum = 0;
            for (uint i = 0; i < r; i++) sum = Single.MultiplyAdd(((float*)v)[(row * r) + i] * ((float*)lambda)[i], ((float*)right)[(i * k) + column], sum);
            ((float*)middle)[e] = sum;
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

    /// <summary>y = x c for x [rows, k] and c [k, k]; x cᵀ with <paramref name="transposed"/>.</summary>
    public static void Multiply(nint x, nint c, uint transposed, nint y, uint rows, uint k)
    {
        uint down = transposed != 0 ? 1 : k;
        uint across = transposed != 0 ? k : 1;
        for (uint e = Threads.First; e < rows * k; e += Threads.Count)
        {
            uint row = e / k;
            uint column = e - (row * k);
            float sum = 0;
            for (uint p = 0; p < k; p++) sum = Single.MultiplyAdd(((float*)x)[(row * k) + p], ((float*)c)[(p * down) + (column * across)], sum);
            ((float*)y)[e] = sum;
        }
    }

    /// <summary>partials[chunk] = aᵀ b over a chunk of rows, for a and b [rows, k]; a block a chunk.</summary>
    public static void OverRows(nint a, nint b, nint partials, uint rows, uint k, uint rowsPerChunk)
    {
        uint first = (uint)Grid.IdxX * rowsPerChunk;
        uint end = first + rowsPerChunk < rows ? first + rowsPerChunk : rows;
        float* to = (float*)partials + ((uint)Grid.IdxX * k * k);
        for (uint e = (uint)Group.IdxX; e < k * k; e += (uint)Group.DimX)
        {
            uint i = e / k;
            uint j = e - (i * k);
            float sum = 0;
            for (uint row = first; row < end; row++) sum = Single.MultiplyAdd(((float*)a)[(row * k) + i], ((float*)b)[(row * k) + j], sum);
            to[e] = sum;
        }
    }

    /// <summary>
    /// From ∂M = Σ partials, in order: ∂v = ∂M 𝒰ᵀ Λ, ∂λ_i = (vᵀ ∂M 𝒰ᵀ)_ii and ∂𝒰 = Λ vᵀ ∂M, each where its bit of <paramref name="wanted"/> (1, 2, 4) is set. One block;
    /// work has room for k² + k r values.
    /// </summary>
    public static void Inner(
        nint v, nint lambda, nint right, nint partials, uint chunks, nint work, nint dv, nint dlambda, nint dright, uint wanted, uint k, uint r)
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
            if ((wanted & 1) != 0) ((float*)dv)[e] = sum * ((float*)lambda)[i];
        }

        Group.Barrier();
        if ((wanted & 2) != 0)
        {
            for (uint i = thread; i < r; i += threads)
            {
                float sum = 0;
                for (uint j = 0; j < k; j++) sum += product[(j * r) + i] * ((float*)v)[(j * r) + i];
                ((float*)dlambda)[i] = sum;
            }
        }

        if ((wanted & 4) == 0) return;
        for (uint e = thread; e < r * k; e += threads)
        {
            uint i = e / k;
            uint c = e - (i * k);
            float sum = 0;
            for (uint j = 0; j < k; j++) sum = Single.MultiplyAdd(((float*)v)[(j * r) + i] * ((float*)lambda)[i], middle[(j * k) + c], sum);
            ((float*)dright)[e] = sum;
        }
    }
}
