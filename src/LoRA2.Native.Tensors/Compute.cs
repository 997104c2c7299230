using System.Globalization;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;
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

    /// <summary>Checks the environment variables that choose how this process computes; one that says nothing sensible is passed over otherwise.</summary>
    /// <exception cref="InputException">LORA2_THREADS, LORA2_SIMD, LORA2_BF16 or LORA2_INT8 has a value that means nothing.</exception>
    public static void RequireEnvironment() => RequireEnvironment(Environment.GetEnvironmentVariable);

    internal static void RequireEnvironment(Func<string, string?> read)
    {
        Require("LORA2_THREADS", value => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int threads) && threads is >= 1 and <= 1024, "a whole number from 1 to 1024");
        Require("LORA2_SIMD", value => value is "512" or "256" or "portable", "512, 256 or portable");
        Require("LORA2_BF16", value => value is "amx" or "avx512" or "vector", "amx, avx512 or vector");
        Require("LORA2_INT8", value => value is "amx" or "vnni" or "vector", "amx, vnni or vector");

        void Require(string name, Func<string, bool> isRight, string expected)
        {
            if (read(name) is { Length: > 0 } value && !isRight(value)) throw new InputException($"the environment variable {name} is {Quote.Name(value)}; {expected} was expected");
        }
    }

    /// <summary>
    /// The vector width in use: 512, 256 or portable; the widest the processor has, unless the environment variable LORA2_SIMD says otherwise.
    /// </summary>
    public static string SimdPath => SimdPaths.Current.ToString();

    /// <summary>
    /// What computes products of bfloat16 operands: AMX (the processor's tile unit) where the processor and the operating system have it, else AVX512-BF16 (dot products of pairs) where they have that and it is faster than float32 (AMD), unless
    /// the environment variable LORA2_BF16 (amx, avx512, vector) says otherwise; else vector.
    /// </summary>
    public static string BFloat16Path => Name(BFloat16Paths.Current);

    /// <summary>
    /// What a precision of products really runs as here, on the CPU: "float32 on vectors (Vector256)", "bfloat16 on AMX". Where the processor has nothing for a precision, it says what it costs or gains: nothing
    /// is faster for having been asked for.
    /// </summary>
    public static string Describe(Precision precision)
    {
        string name = precision.ToString().ToLowerInvariant(), vectors = $"vectors ({SimdPath})";
        return precision switch
        {
            Precision.Float32 => $"{name} on {vectors}",
            Precision.Int8 when ByteCode.IsCurrent => $"{name} on {(ByteCode.Current == BytePath.Amx ? "AMX" : "AVX512-VNNI")}",
            Precision.Int8 when SimdPath == nameof(Cpu.Vectors.SimdPath.Vector512) => $"{name} on vectors (Vector256): there is no wider kernel for it here, so float32 on {vectors} may be as fast",
            Precision.Int8 => $"{name} on {vectors}",
            _ when BFloat16Paths.Of(precision) is var path and not Cpu.MatrixProducts.Tiles.BFloat16Path.Vector => $"{name} on {Name(path)}",
            Precision.BFloat16 => $"{name}, which is rounded and computed as float32 on {vectors}: this processor has nothing faster for it",
            _ => $"{name}, which is float32 on {vectors}: without AMX it is not faster than that",
        };
    }

    /// <summary>What multiplies in a precision: two that say the same give the same bits.</summary>
    internal static string ProductsOf(Precision precision) => precision switch
    {
        Precision.Float32 => "vector",
        Precision.Int8 => $"{(ByteCode.IsCurrent ? "bytes" : "vector")}, attention's {Name(BFloat16Paths.Of(Precision.BFloat16))}",
        _ => Name(BFloat16Paths.Of(precision)),
    };

    private static string Name(Cpu.MatrixProducts.Tiles.BFloat16Path path) => path switch
    {
        Cpu.MatrixProducts.Tiles.BFloat16Path.Amx => "AMX",
        Cpu.MatrixProducts.Tiles.BFloat16Path.Avx512 => "AVX512-BF16",
        _ => "vector",
    };

    /// <summary>
    /// One sentence where this program uses narrower vectors than the processor has because it was compiled ahead of time for less, or null. A processor's own just-in-time compiler takes the widest. Products in bfloat16 and in 8 bits that the
    /// processor has instructions for (AMX, AVX512-VNNI, AVX512-BF16) run on them either way: their kernels are assembled at run time.
    /// </summary>
    public static string? Shortfall => CompiledFor.Shortfall(SimdPaths.Current, CompiledFor.Widest(), AssembledAvx512.IsSupported);
}
