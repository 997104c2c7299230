using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors;

/// <summary>How this process computes on its processors.</summary>
public static class Compute
{
    /// <summary>
    /// Threads that kernels use, the caller's among them: at first the environment variable LORA2_THREADS, else the number of processors. No
    /// result depends on it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1 or above 1,024.</exception>
    public static int Threads
    {
        get => ThreadTeam.Count;
        set => ThreadTeam.Count = value;
    }

    /// <summary>
    /// The vector width in use: 512, 256 or portable; the widest the processor has, unless the environment variable LORA2_SIMD says otherwise.
    /// </summary>
    public static string SimdPath => SimdPaths.Current.ToString();

    /// <summary>
    /// What computes products of bfloat16 operands: AMX (the processor's tile unit) where the processor and the operating system have it, unless
    /// the environment variable LORA2_BF16 (amx, vector) says otherwise; else vector.
    /// </summary>
    public static string BFloat16Path => BFloat16Paths.Current == Cpu.MatrixProducts.Tiles.BFloat16Path.Amx ? "AMX" : "vector";
}
