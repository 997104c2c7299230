using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>The second pass of products whose k was split: sums in the order of the parts.</summary>
[KernelFamily]
internal static unsafe class GemmSplit
{
    /// <summary>c = alpha · Σ parts (each m × n) + …, as <see cref="ProductOutput"/> has it.</summary>
    public static void Finish(nint parts, int count, nint c, nint bias, nint residual, nint activated, int flags, float alpha, float beta, int m, int n)
    {
        float* from = (float*)parts;
        uint size = (uint)m * (uint)n;
        var output = new ProductOutput(c, 0, bias, residual, activated, flags, alpha, beta, m, n);
        for (uint i = Threads.First; i < size; i += Threads.Count)
        {
            float sum = 0;
            uint at = i;
            for (int part = 0; part < count; part++, at += size) sum += from[at];
            uint row = i / (uint)n;
            output.Store((int)row, (int)(i - (row * (uint)n)), sum);
        }
    }
}
