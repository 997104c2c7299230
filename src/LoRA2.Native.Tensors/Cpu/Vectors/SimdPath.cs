using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoRA2.Native.Tensors.Cpu.Vectors;

/// <summary>The vector width a kernel is built for.</summary>
internal enum SimdPath
{
    /// <summary>128-bit vectors: any processor.</summary>
    Portable,

    /// <summary>256-bit vectors with fused multiply-add (AVX2).</summary>
    Vector256,

    /// <summary>512-bit vectors (AVX-512).</summary>
    Vector512,
}

/// <summary>
/// The one place where the vector width of every kernel is chosen: the widest that the processor has, or what the environment variable
/// <c>LORA2_SIMD</c> (<c>512</c>, <c>256</c>, <c>portable</c>) allows.
/// </summary>
internal static class SimdPaths
{
    private static readonly string? Requested = Environment.GetEnvironmentVariable("LORA2_SIMD");

    private static readonly SimdPath Best = Choose(Requested);

    [ThreadStatic]
    private static SimdPath? forced;

    /// <summary>The path that kernels called on this thread take. A parallel region takes the path of the thread that starts it.</summary>
    public static SimdPath Current => forced ?? Best;

    /// <summary>
    /// Replaces the path for calls made on this thread, so that every path can be tested on one machine; null restores the choice.
    /// </summary>
    public static SimdPath? Forced
    {
        get => forced;
        set => forced = value;
    }

    /// <summary>
    /// Whether what goes with assembled kernels (packing, rounding, the end of a product) is computed on 512-bit vectors on this thread; else it is on 256-bit ones, with the same bits.
    /// </summary>
    public static bool Are512
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.IsHardwareAccelerated && Current == SimdPath.Vector512;
    }

    /// <summary>Whether 512 bits were not asked to be left out, on this thread or by <c>LORA2_SIMD</c>, and the program was compiled ahead of time: then it is only what it was compiled for that may be in their way.</summary>
    public static bool IsHeldBack => !RuntimeFeature.IsDynamicCodeSupported && forced == null && Limit(Requested) == SimdPath.Vector512;

    /// <summary>Whether the hardware runs this path without emulation.</summary>
    public static bool IsSupported(SimdPath path) => path switch
    {
        SimdPath.Vector512 => Vector512.IsHardwareAccelerated && Avx512F.IsSupported,
        SimdPath.Vector256 => Vector256.IsHardwareAccelerated && Fma.IsSupported,
        _ => true,
    };

    /// <summary>
    /// The widest supported path not above what <paramref name="requested"/> (<c>512</c>, <c>256</c>, <c>portable</c>; else any) allows.
    /// </summary>
    public static SimdPath Choose(string? requested)
    {
        SimdPath limit = Limit(requested);
        while (!IsSupported(limit)) limit--;
        return limit;
    }

    private static SimdPath Limit(string? requested) => requested switch
    {
        "portable" => SimdPath.Portable,
        "256" => SimdPath.Vector256,
        _ => SimdPath.Vector512,
    };
}
