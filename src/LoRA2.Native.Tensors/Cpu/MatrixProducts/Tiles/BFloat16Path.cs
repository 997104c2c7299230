using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>What computes products of bfloat16 operands.</summary>
internal enum BFloat16Path
{
    /// <summary>Float32 vector code on operands rounded to bfloat16: any processor.</summary>
    Vector,

    /// <summary>The dot products of pairs of AVX512-BF16, on 512-bit vectors: operands of one term.</summary>
    Avx512,

    /// <summary>The tile unit (AMX-BF16).</summary>
    Amx,
}

/// <summary>
/// The one place where the path of bfloat16 products is chosen: the tile unit where the processor and the operating system allow it, else the
/// dot products of pairs where they are faster than float32, unless the environment variable <c>LORA2_BF16</c> (<c>amx</c>, <c>avx512</c>, <c>vector</c>) says otherwise.
/// </summary>
/// <remarks>The choice never measures: what a shared machine does meanwhile would choose the bits of a result.</remarks>
internal static class BFloat16Paths
{
    [ThreadStatic]
    private static BFloat16Path? forced;

    /// <summary>
    /// The path that products called on this thread take. A parallel region takes the path of the thread that starts it.
    /// </summary>
    public static BFloat16Path Current => forced ?? Chosen.Path;

    /// <summary>
    /// Replaces the path for calls made on this thread, so that all can be tested on one machine; null restores the choice.
    /// </summary>
    public static BFloat16Path? Forced
    {
        get => forced;
        set => forced = value;
    }

    /// <summary>The path that a precision of bfloat16 terms takes: on <see cref="BFloat16Path.Avx512"/> two and three terms would be slower than the float32 that they stand for.</summary>
    public static BFloat16Path Of(Precision precision) =>
        Current == BFloat16Path.Avx512 && precision != Precision.BFloat16 ? BFloat16Path.Vector : Current;

    /// <summary>Whether this machine has the path.</summary>
    public static bool IsSupported(BFloat16Path path) => BFloat16Code.IsSupported(path);

    /// <summary>The path that is <paramref name="requested"/> where the machine has it, else vectors; of none, the machine's fastest.</summary>
    public static BFloat16Path Choose(string? requested) =>
        requested == "vector" ? BFloat16Path.Vector
        : requested != "avx512" && IsSupported(BFloat16Path.Amx) ? BFloat16Path.Amx
        : (requested == "avx512" || BFloat16Code.DotsAreFast) && IsSupported(BFloat16Path.Avx512) ? BFloat16Path.Avx512
        : BFloat16Path.Vector;

    /// <summary>A class of its own, so that code is assembled for the choice when a product asks for it and not when threads hand <see cref="Forced"/> on.</summary>
    private static class Chosen
    {
        public static readonly BFloat16Path Path = Choose(Environment.GetEnvironmentVariable("LORA2_BF16"));
    }
}
