using System.Runtime.Intrinsics.X86;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>
/// Products of packed blocks of bytes, unsigned in A and signed in B: by the tile unit's <c>tdpbusd</c>, or by AVX512-VNNI's <c>vpdpbusd</c>, which adds four of them to each of 16 sums and saturates nowhere: four times the
/// multiplications of a fused multiply-add. .NET has that for 256 bits only, under AVX-VNNI, which AMD's processors lack until Zen 5. Where <see cref="AssembledAvx512"/> allows it.
/// </summary>
internal static unsafe class ByteCode
{
    /// <summary>The longest depth whose sums are certain to fit into 32 bits.</summary>
    public const int MostDepth = int.MaxValue / (byte.MaxValue * Int8PackedMatrix.Levels);

    /// <summary>Bytes of a row in a step along the depth.</summary>
    public const int StepDepth = 64;

    private const int VnniBit = 11, TileInt8Bit = 25;

    [ThreadStatic]
    private static BytePath? forced;

    /// <summary>Whether products called on this thread multiply bytes: the processor and the system can, and nothing asks for narrower vectors than they have.</summary>
    public static bool IsCurrent => Current != BytePath.None;

    /// <summary>
    /// The path of products called on this thread: the tile unit where there is one, unless the environment variable <c>LORA2_INT8</c> (<c>amx</c>, <c>vnni</c>, <c>vector</c>) says otherwise. It goes with vectors of 512 bits, and with
    /// those of 256 where the program was compiled ahead of time for no more.
    /// </summary>
    public static BytePath Current => forced ?? (SimdPaths.Current == SimdPath.Vector512 || SimdPaths.IsHeldBack ? Chosen.Path : BytePath.None);

    /// <summary>Replaces the path for calls made on this thread, whatever their vectors, so that all can be tested on one machine; null restores the choice.</summary>
    public static BytePath? Forced
    {
        get => forced;
        set => forced = value;
    }

    private static bool HasVnni =>
        AssembledAvx512.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 0).Ecx >> VnniBit & 1) == 1;

    private static bool HasTiles => HasVnni && (X86Base.CpuId(7, 0).Edx >> TileInt8Bit & 1) == 1 && BFloat16Code.IsSupported(BFloat16Path.Amx);

    /// <summary>Whether this machine has the path. Code for it is assembled at the first question.</summary>
    public static bool IsSupported(BytePath path) => path switch
    {
        BytePath.Amx => Tiles.Code != null,
        BytePath.Vnni => Dots.Code != null,
        _ => true,
    };

    /// <summary>Readies this thread for products on a path. <see cref="Release"/> belongs after the last of a part.</summary>
    public static void Configure(BytePath path)
    {
        if (path == BytePath.Amx) TileKernels.Configure(Tiles.Code!);
    }

    /// <summary>Ends what <see cref="Configure"/> began.</summary>
    public static void Release(BytePath path)
    {
        if (path == BytePath.Amx) TileKernels.Release(Tiles.Code!);
    }

    /// <summary>Makes a block of up to 32 × 32 sums of integers at <see cref="TileCall.C"/>; its columns are written in multiples of 16, and by the tile unit its rows too.</summary>
    public static void Multiply(BytePath path, TileCall* call, int rows, int columns)
    {
        if (path == BytePath.Amx) TileKernels.Multiply(Tiles.Code!, call, rows, columns, 1);
        else DotKernels.Multiply(Dots.Code!, call, rows, columns);
    }

    private static BytePath Choose(string? requested) =>
        requested == "vector" ? BytePath.None
        : requested != "vnni" && IsSupported(BytePath.Amx) ? BytePath.Amx
        : IsSupported(BytePath.Vnni) ? BytePath.Vnni
        : BytePath.None;

    /// <summary>A class of its own, so that what is not asked for is not assembled.</summary>
    private static class Chosen
    {
        public static readonly BytePath Path = Choose(Environment.GetEnvironmentVariable("LORA2_INT8"));
    }

    /// <inheritdoc cref="Chosen"/>
    private static class Tiles
    {
        public static readonly AssembledCode? Code = HasTiles ? AssembledCode.Of(c => TileKernels.Write(c, 1, (c, sums, a, b) => c.tdpbusd(sums, a, b))) : null;
    }

    /// <inheritdoc cref="Chosen"/>
    private static class Dots
    {
        public static readonly AssembledCode? Code = HasVnni ? AssembledCode.Of(c => DotKernels.Write(c, (c, sums, x, y) => c.vpdpbusd(sums, x, y))) : null;
    }
}
