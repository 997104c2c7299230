namespace LoRA2.Native.Cuda.Kernels.Elementwise;

/// <summary>Dropout of an array.</summary>
[KernelFamily]
internal static unsafe class Dropout
{
    /// <summary>y = scale · x where word i of the stream is at least the threshold, else 0. y may be x.</summary>
    public static void Apply(nint x, ulong seed, [DropoutStream] ulong stream, uint threshold, float scale, nint y, uint vectors, uint count)
    {
        var words = new DropoutWords(seed, stream, threshold, scale);
        Float4* x4 = (Float4*)x;
        Float4* y4 = (Float4*)y;
        for (uint i = Threads.First; i < vectors; i += Threads.Count) y4[i] = words.Of(x4[i], i);
        float* x1 = (float*)x;
        float* y1 = (float*)y;
        for (uint i = (4 * vectors) + Threads.First; i < count; i += Threads.Count) y1[i] = words.One(x1[i], i);
    }
}
