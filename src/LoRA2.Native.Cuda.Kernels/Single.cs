using ILGPU;
using ILGPU.Runtime.Cuda;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>
/// Elementary functions of a float, the same formulas as the CPU backend's (its VectorMath): errors in units of the last place are 1 for exp, 4 for the
/// normal distribution function (relative, in both tails), 3 for tanh. NaN gives NaN.
/// </summary>
internal static class Single
{
    /// <summary>a b + c, rounded once.</summary>
    public static float MultiplyAdd(float a, float b, float c)
    {
        CudaAsm.Emit("fma.rn.f32 %0, %1, %2, %3;", out float result, a, b, c);
        return result;
    }

    /// <summary>Whether x is NaN or infinite.</summary>
    public static bool IsNotFinite(float x) => (Interop.FloatAsInt(x) & 0x7F800000u) == 0x7F800000u;

    /// <summary>e^x, which underflows gradually to 0 and overflows to infinity.</summary>
    public static float Exp(float x)
    {
        x = x < -110f ? -110f : x;
        return ExpWithin(x > 89f ? 89f : x);
    }

    /// <summary>1 / x for x from 1 to 2¹⁰⁰: the approximation and a step of Newton's method, which is far fewer instructions than a division.</summary>
    public static float Reciprocal(float x)
    {
        CudaAsm.Emit("rcp.approx.ftz.f32 %0, %1;", out float q, x);
        return MultiplyAdd(q, MultiplyAdd(-x, q, 1), q);
    }

    /// <summary>Φ(x), and e^(−x²/2), which the density shares.</summary>
    public static float NormalCdf(float x, out float exponential)
    {
        float t = IntrinsicMath.Abs(x);
        t = t > 15f ? 15f : t;
        // The rounding error of t², put back to first order: e^(−(s + l)/2) = e^(−s/2) (1 − l/2).
        float s = t * t;
        float l = MultiplyAdd(t, t, -s);
        float e = ExpWithin(s * -0.5f);
        e = MultiplyAdd(e, l * -0.5f, e);
        exponential = e;

        float q = Reciprocal(t + 4);
        float u = MultiplyAdd(q, -8, 1);
        float p = MultiplyAdd(-0.000125558385602f, u, 0.00018899651942f);
        p = MultiplyAdd(p, u, 0.00156688168778f);
        p = MultiplyAdd(p, u, -0.00352097282399f);
        p = MultiplyAdd(p, u, -0.00752540241821f);
        p = MultiplyAdd(p, u, 0.0604061855143f);
        p = MultiplyAdd(p, u, -0.186523306758f);
        p = MultiplyAdd(p, u, 0.38713668307f);
        p = MultiplyAdd(p, u, -0.607896594145f);
        p = MultiplyAdd(p, u, 0.755285138596f);
        float tail = e * (q * p);
        return x < 0 ? tail : 1 - tail;
    }

    /// <summary>tanh x: an odd polynomial where |x| &lt; 0.625, 1 − 2 / (e^(2|x|) + 1) beyond.</summary>
    public static float Tanh(float x)
    {
        float t = IntrinsicMath.Abs(x);
        float large = 1 - (2 / (Exp(t + t) + 1));
        float z = x * x;
        float p = MultiplyAdd(0.0022927448161781423431f, z, -0.008343945515839152048f);
        p = MultiplyAdd(p, z, 0.021768918651028210152f);
        p = MultiplyAdd(p, z, -0.053959259577204542744f);
        p = MultiplyAdd(p, z, 0.13333303556915741766f);
        p = MultiplyAdd(p, z, -0.33333333172140361638f);
        float small = MultiplyAdd(x * z, p, x);
        return t < 0.625f ? small : x < 0 ? -large : large;
    }

    /// <summary>
    /// e^x for −150 ≤ x ≤ 89: x = n ln 2 + r, e^r by its Taylor series to r⁷, scaled by 2ⁿ in two steps. Adding 1.5 · 2²³ rounds to a whole number, which the sum's
    /// lowest bits then are: on a GPU conversions are eight times as slow as sums.
    /// </summary>
    private static float ExpWithin(float x)
    {
        const float magic = 12582912f;
        float shifted = (x * 1.4426950408889634f) + magic;
        float n = shifted - magic;
        float r = MultiplyAdd(n, -0.693359375f, x);
        r = MultiplyAdd(n, 2.12194440054690583e-4f, r);
        float p = MultiplyAdd(1f / 5040, r, 1f / 720);
        p = MultiplyAdd(p, r, 1f / 120);
        p = MultiplyAdd(p, r, 1f / 24);
        p = MultiplyAdd(p, r, 1f / 6);
        p = MultiplyAdd(p, r, 0.5f);
        p = MultiplyAdd(p, r, 1);
        p = MultiplyAdd(p, r, 1);
        int whole = (int)Interop.FloatAsInt(shifted) - 0x4B400000;
        int half = whole >> 1;
        return p * PowerOf2(half) * PowerOf2(whole - half);
    }

    private static float PowerOf2(int n) => Interop.IntAsFloat((uint)(n + 127) << 23);
}
