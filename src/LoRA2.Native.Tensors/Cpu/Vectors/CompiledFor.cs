using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace LoRA2.Native.Tensors.Cpu.Vectors;

/// <summary>Whether a program compiled ahead of time leaves vectors of the processor unused: there, what the kernels may use is what was compiled for.</summary>
internal static class CompiledFor
{
    /// <summary>The widest path that the processor itself has, asked of it by cpuid rather than of the compiler; Portable where that cannot be asked.</summary>
    public static SimdPath Widest()
    {
        if (!X86Base.IsSupported) return SimdPath.Portable;
        (int most, _, _, _) = X86Base.CpuId(0, 0);
        if (most < 7) return SimdPath.Portable;
        (_, _, int first, _) = X86Base.CpuId(1, 0);
        (_, int seventh, _, _) = X86Base.CpuId(7, 0);
        const int fma = 1 << 12, osxsave = 1 << 27, avx2 = 1 << 5, avx512F = 1 << 16, avx512Dq = 1 << 17, avx512Bw = 1 << 30, avx512 = avx512F | avx512Dq | avx512Bw;
        if ((first & fma) == 0 || (first & osxsave) == 0 || (seventh & avx2) == 0) return SimdPath.Portable;
        return (seventh & avx512) == avx512 ? SimdPath.Vector512 : SimdPath.Vector256;
    }

    /// <summary>The sentence of <see cref="Compute.Shortfall"/>; null under a just-in-time compiler, which has its reasons.</summary>
    /// <param name="used">The path in use.</param>
    /// <param name="widest">The processor's.</param>
    /// <param name="assembles">Whether kernels assembled at run time use the processor's all the same.</param>
    public static string? Shortfall(SimdPath used, SimdPath widest, bool assembles) => RuntimeFeature.IsDynamicCodeSupported || used >= widest || Environment.GetEnvironmentVariable("LORA2_SIMD") is { Length: > 0 }
        ? null
        : $"this program was compiled ahead of time for vectors of {(used == SimdPath.Portable ? 128 : 256)} bits and this processor has {(widest == SimdPath.Vector512 ? 512 : 256)}: IlcInstructionSet {(widest == SimdPath.Vector512 ? "x86-64-v4" : "x86-64-v3")} in its project uses them{(assembles ? "; products in bfloat16 and in 8 bits use what the processor has for them even so" : "")}";
}
