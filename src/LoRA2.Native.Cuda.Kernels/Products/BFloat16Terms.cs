using ILGPU;
using ILGPU.Runtime.Cuda;

namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>A float as a sum of bfloat16 terms: each is what remains, rounded to nearest even. Of NaN and infinity the first term is all.</summary>
internal static class BFloat16Terms
{
    /// <summary>The bits of x rounded to bfloat16.</summary>
    public static uint Round(float x)
    {
        uint bits = Interop.FloatAsInt(x);
        uint rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
        return (bits & 0x7FFFFFFFu) > 0x7F800000u ? (bits >> 16) | 0x40u : rounded;
    }

    /// <summary>What remains of x after its first term.</summary>
    public static float Rest(float x)
    {
        uint term = Round(x);
        return (term & 0x7F80u) == 0x7F80u ? 0 : x - Interop.IntAsFloat(term << 16);
    }

    /// <summary>Two terms in one word, the first in the lower half.</summary>
    public static uint Pair(float first, float second) => Round(first) | (Round(second) << 16);

    /// <summary>The same in one instruction, whose NaN has other bits.</summary>
    public static uint Rounded(float first, float second)
    {
        CudaAsm.Emit("cvt.rn.bf16x2.f32 %0, %1, %2;", out uint word, second, first);
        return word;
    }

    /// <summary>Term number <paramref name="plane"/> of x.</summary>
    public static uint Term(float x, int plane)
    {
        if (plane > 0) x = Rest(x);
        if (plane > 1) x = Rest(x);
        return Round(x);
    }
}
