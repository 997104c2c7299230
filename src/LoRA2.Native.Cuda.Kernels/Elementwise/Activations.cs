namespace LoRA2.Native.Cuda.Kernels.Elementwise;

/// <summary>Activation functions and their gradients; arguments as those of <see cref="Elementwise"/>.</summary>
[KernelFamily]
internal static class Activations
{
    /// <summary>y = x Φ(x).</summary>
    public static void Gelu(nint x, nint y, uint vectors, uint count) => Map.Unary(default(GeluOf), x, y, vectors, count);

    /// <summary>dx = dy (Φ(x) + x φ(x)).</summary>
    public static void GeluBackward(nint x, nint dy, nint dx, uint vectors, uint count) => Map.Binary(default(GeluGradient), x, dy, dx, vectors, count);

    /// <summary>y = tanh x.</summary>
    public static void Tanh(nint x, nint y, uint vectors, uint count) => Map.Unary(default(TanhOf), x, y, vectors, count);

    /// <summary>dx = dy (1 − tanh² x).</summary>
    public static void TanhBackward(nint x, nint dy, nint dx, uint vectors, uint count) => Map.Binary(default(TanhGradient), x, dy, dx, vectors, count);

    /// <summary>y = max(x, 0), NaN kept.</summary>
    public static void Relu(nint x, nint y, uint vectors, uint count) => Map.Unary(default(ReluOf), x, y, vectors, count);

    /// <summary>dx = dy where x is positive or NaN, else 0.</summary>
    public static void ReluBackward(nint x, nint dy, nint dx, uint vectors, uint count) => Map.Binary(default(ReluGradient), x, dy, dx, vectors, count);

    /// <summary>y = x σ(x).</summary>
    public static void Silu(nint x, nint y, uint vectors, uint count) => Map.Unary(default(SiluOf), x, y, vectors, count);

    /// <summary>dx = dy σ(x) (1 + x (1 − σ(x))).</summary>
    public static void SiluBackward(nint x, nint dy, nint dx, uint vectors, uint count) => Map.Binary(default(SiluGradient), x, dy, dx, vectors, count);

    /// <summary>y = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).</summary>
    public static void GeluTanh(nint x, nint y, uint vectors, uint count) => Map.Unary(default(GeluTanhOf), x, y, vectors, count);

    /// <summary>Its gradient.</summary>
    public static void GeluTanhBackward(nint x, nint dy, nint dx, uint vectors, uint count) => Map.Binary(default(GeluTanhGradient), x, dy, dx, vectors, count);

    /// <summary>y = x σ(1.702 x).</summary>
    public static void QuickGelu(nint x, nint y, uint vectors, uint count) => Map.Unary(default(QuickGeluOf), x, y, vectors, count);

    /// <summary>Its gradient.</summary>
    public static void QuickGeluBackward(nint x, nint dy, nint dx, uint vectors, uint count) => Map.Binary(default(QuickGeluGradient), x, dy, dx, vectors, count);

    /// <summary>y = x tanh(ln(1 + e^x)).</summary>
    public static void Mish(nint x, nint y, uint vectors, uint count) => Map.Unary(default(MishOf), x, y, vectors, count);

    /// <summary>Its gradient.</summary>
    public static void MishBackward(nint x, nint dy, nint dx, uint vectors, uint count) => Map.Binary(default(MishGradient), x, dy, dx, vectors, count);

    /// <summary>1 / (1 + e^−x).</summary>
    private static float Sigmoid(float x) => 1 / (1 + Single.Exp(-x));

    /// <summary>The derivative of x σ(g(x)), from x, g(x) and g′(x).</summary>
    private static float GateSlope(float x, float g, float slope)
    {
        float s = Sigmoid(g);
        return Single.MultiplyAdd(x * (s * (1 - s)), slope, s);
    }

    private readonly struct GeluTanhOf : IUnary
    {
        public float Of(float x)
        {
            float c = x < -50f ? -50f : x > 50f ? 50f : x;
            return x * Sigmoid(c * Single.MultiplyAdd(c * c, 0.0713548162726009f, 1.5957691216057308f));
        }
    }

    private readonly struct GeluTanhGradient : IBinary
    {
        public float Of(float x, float dy)
        {
            float c = x < -50f ? -50f : x > 50f ? 50f : x;
            float square = c * c;
            return dy * GateSlope(x, c * Single.MultiplyAdd(square, 0.0713548162726009f, 1.5957691216057308f), Single.MultiplyAdd(square, 0.2140644488178027f, 1.5957691216057308f));
        }
    }

    private readonly struct QuickGeluOf : IUnary
    {
        public float Of(float x) => x * Sigmoid(x * 1.702f);
    }

    private readonly struct QuickGeluGradient : IBinary
    {
        public float Of(float x, float dy) => dy * GateSlope(x, x * 1.702f, 1.702f);
    }

    private readonly struct MishOf : IUnary
    {
        public float Of(float x)
        {
            float e = Single.Exp(x > 20f ? 20f : x);
            float n = e * (e + 2);
            return x * (n / (n + 2));
        }
    }

    private readonly struct MishGradient : IBinary
    {
        public float Of(float x, float dy)
        {
            float bounded = x > 20f ? 20f : x;
            float e = Single.Exp(bounded);
            float n = e * (e + 2), inverse = 1 / (n + 2);
            float slope = Single.MultiplyAdd(bounded * (e / (1 + e)), 4 * (n + 1) * inverse * inverse, n * inverse);
            return dy * (x < float.PositiveInfinity ? slope : x - x);
        }
    }

    private readonly struct SiluOf : IUnary
    {
        public float Of(float x) => x * Sigmoid(x);
    }

    private readonly struct SiluGradient : IBinary
    {
        public float Of(float x, float dy) => dy * GateSlope(x, x, 1);
    }

    private readonly struct GeluOf : IUnary
    {
        public float Of(float x) => x * Single.NormalCdf(x, out _);
    }

    private readonly struct GeluGradient : IBinary
    {
        public float Of(float x, float dy)
        {
            float cdf = Single.NormalCdf(x, out float exponential);
            return dy * Single.MultiplyAdd(x, exponential * 0.39894228040143267794f, cdf);
        }
    }

    private readonly struct TanhOf : IUnary
    {
        public float Of(float x) => Single.Tanh(x);
    }

    private readonly struct TanhGradient : IBinary
    {
        public float Of(float x, float dy)
        {
            float y = Single.Tanh(x);
            return dy * (1 - (y * y));
        }
    }

    private readonly struct ReluOf : IUnary
    {
        public float Of(float x) => x < 0 ? 0 : x;
    }

    private readonly struct ReluGradient : IBinary
    {
        public float Of(float x, float dy) => x <= 0 ? 0 : dy;
    }
}
