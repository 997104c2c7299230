namespace LoRA2.Native.Cuda.Kernels.Elementwise;

/// <summary>A function of one number.</summary>
internal interface IUnary
{
    float Of(float x);
}

/// <summary>A function of two numbers.</summary>
internal interface IBinary
{
    float Of(float a, float b);
}

/// <summary>
/// A function applied to every element: the first <c>vectors</c> fours of elements by 16-byte accesses, the rest one by one. The output may be an input.
/// </summary>
internal static unsafe class Map
{
    public static void Unary<T>(T f, nint x, nint y, uint vectors, uint count)
        where T : struct, IUnary
    {
        Float4* x4 = (Float4*)x;
        Float4* y4 = (Float4*)y;
        for (uint i = Threads.First; i < vectors; i += Threads.Count)
        {
            Float4 v = x4[i];
            y4[i] = new Float4(f.Of(v.X), f.Of(v.Y), f.Of(v.Z), f.Of(v.W));
        }

        float* x1 = (float*)x;
        float* y1 = (float*)y;
        for (uint i = (4 * vectors) + Threads.First; i < count; i += Threads.Count) y1[i] = f.Of(x1[i]);
    }

    public static void Binary<T>(T f, nint a, nint b, nint y, uint vectors, uint count)
        where T : struct, IBinary
    {
        Float4* a4 = (Float4*)a;
        Float4* b4 = (Float4*)b;
        Float4* y4 = (Float4*)y;
        for (uint i = Threads.First; i < vectors; i += Threads.Count)
        {
            Float4 u = a4[i];
            Float4 v = b4[i];
            y4[i] = new Float4(f.Of(u.X, v.X), f.Of(u.Y, v.Y), f.Of(u.Z, v.Z), f.Of(u.W, v.W));
        }

        float* a1 = (float*)a;
        float* b1 = (float*)b;
        float* y1 = (float*)y;
        for (uint i = (4 * vectors) + Threads.First; i < count; i += Threads.Count) y1[i] = f.Of(a1[i], b1[i]);
    }
}
