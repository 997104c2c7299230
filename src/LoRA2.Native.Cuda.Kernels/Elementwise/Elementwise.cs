using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Elementwise;

/// <summary>Arithmetic on equally long arrays: <c>vectors</c> fours of elements, 0 where an address is no multiple of 16, and <c>count</c> elements in all.</summary>
[KernelFamily]
internal static class Elementwise
{
    /// <summary>y = a + b.</summary>
    public static void Add(nint a, nint b, nint y, uint vectors, uint count) => Map.Binary(default(Sum), a, b, y, vectors, count);

    /// <summary>y = a − b.</summary>
    public static void Subtract(nint a, nint b, nint y, uint vectors, uint count) => Map.Binary(default(Difference), a, b, y, vectors, count);

    /// <summary>y = a ∘ b.</summary>
    public static void Multiply(nint a, nint b, nint y, uint vectors, uint count) => Map.Binary(default(Product), a, b, y, vectors, count);

    /// <summary>y = s x.</summary>
    public static void Scale(nint x, float s, nint y, uint vectors, uint count) => Map.Unary(new Scaling(s), x, y, vectors, count);

    /// <summary>y += s x.</summary>
    public static void AddScaled(nint x, float s, nint y, uint vectors, uint count) => Map.Binary(new ScaledSum(s), x, y, y, vectors, count);

    /// <summary>gradient = scale (x − target).</summary>
    public static void ScaledDifference(nint x, nint target, float scale, nint gradient, uint vectors, uint count) =>
        Map.Binary(new ScaledGap(scale), x, target, gradient, vectors, count);

    /// <summary>y = x, of any elements of 4 bytes.</summary>
    public static void Copy(nint x, nint y, uint vectors, uint count) => Map.Unary(default(Same), x, y, vectors, count);

    /// <summary>y = the float of the given bits.</summary>
    public static void Fill(uint bits, nint y, uint vectors, uint count) => Map.Unary(new Constant(Interop.IntAsFloat(bits)), y, y, vectors, count);

    private readonly struct Sum : IBinary
    {
        public float Of(float a, float b) => a + b;
    }

    private readonly struct Difference : IBinary
    {
        public float Of(float a, float b) => a - b;
    }

    private readonly struct Product : IBinary
    {
        public float Of(float a, float b) => a * b;
    }

    private readonly struct Scaling(float s) : IUnary
    {
        private readonly float s = s;

        public float Of(float x) => x * s;
    }

    private readonly struct ScaledSum(float s) : IBinary
    {
        private readonly float s = s;

        public float Of(float x, float y) => Single.MultiplyAdd(x, s, y);
    }

    private readonly struct ScaledGap(float scale) : IBinary
    {
        private readonly float scale = scale;

        public float Of(float x, float target) => scale * (x - target);
    }

    private readonly struct Same : IUnary
    {
        public float Of(float x) => x;
    }

    private readonly struct Constant(float value) : IUnary
    {
        private readonly float value = value;

        public float Of(float x) => value;
    }
}
