namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>What computes products of bfloat16 operands.</summary>
internal enum BFloat16Path
{
    /// <summary>Float32 vector code on operands rounded to bfloat16: any processor.</summary>
    Vector,

    /// <summary>The tile unit (AMX-BF16).</summary>
    Amx,
}

/// <summary>
/// The one place where the path of bfloat16 products is chosen: the tile unit where the processor and the operating system allow it, unless
/// the environment variable <c>LORA2_BF16</c> (<c>amx</c>, <c>vector</c>) says otherwise.
/// </summary>
internal static class BFloat16Paths
{
    private static readonly BFloat16Path Best = Choose(Environment.GetEnvironmentVariable("LORA2_BF16"));

    [ThreadStatic]
    private static BFloat16Path? forced;

    /// <summary>
    /// The path that products called on this thread take. A parallel region takes the path of the thread that starts it.
    /// </summary>
    public static BFloat16Path Current => forced ?? Best;

    /// <summary>
    /// Replaces the path for calls made on this thread, so that both can be tested on one machine; null restores the choice.
    /// </summary>
    public static BFloat16Path? Forced
    {
        get => forced;
        set => forced = value;
    }

    /// <summary>Whether this machine has the path.</summary>
    public static bool IsSupported(BFloat16Path path) => path == BFloat16Path.Vector || TileUnit.IsSupported;

    /// <summary>The tile unit if there is one and <paramref name="requested"/> is not <c>vector</c>.</summary>
    public static BFloat16Path Choose(string? requested) =>
        requested != "vector" && TileUnit.IsSupported ? BFloat16Path.Amx : BFloat16Path.Vector;
}
