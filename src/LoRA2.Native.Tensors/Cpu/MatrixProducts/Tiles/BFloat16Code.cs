using System.Runtime.Intrinsics.X86;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// The code that this process has assembled for the processor's bfloat16 instructions: those of its tile unit (Intel AMX) and <c>vdpbf16ps</c> (AVX512-BF16). Where <see cref="AssembledAvx512"/> allows it;
/// the right to the tile registers is asked for as Linux has it.
/// </summary>
internal static class BFloat16Code
{
    private const int TileBFloat16Bit = 22, TileBit = 24, VectorBFloat16Bit = 5, AuthenticAmd = 0x68747541;

    /// <summary>Whether the processor and the system have the path. Code for it is assembled at the first question.</summary>
    public static bool IsSupported(BFloat16Path path) => path switch
    {
        BFloat16Path.Amx => Tiles.Code != null,
        BFloat16Path.Avx512 => Dots.Code != null,
        _ => true,
    };

    /// <summary>The code of a path.</summary>
    /// <exception cref="PlatformNotSupportedException">This process has no code for it.</exception>
    public static BlockCode Of(BFloat16Path path) =>
        (path == BFloat16Path.Amx ? Tiles.Code : path == BFloat16Path.Avx512 ? (BlockCode?)Dots.Code : null) ??
        throw new PlatformNotSupportedException($"This process has no bfloat16 instructions of {path}: products take the vector path.");

    /// <summary>Some code of these: rounding is the same in all.</summary>
    /// <exception cref="PlatformNotSupportedException">This process has none.</exception>
    public static BlockCode Any => One.Code ?? throw new PlatformNotSupportedException("This process has no bfloat16 instructions.");

    /// <summary>
    /// Whether vdpbf16ps multiplies faster than float32's instructions do: AMD's (Zen 4 and later) twice as fast, Intel's (measured on Emerald Rapids) half as fast, one in two cycles.
    /// </summary>
    public static bool DotsAreFast => X86Base.IsSupported && X86Base.CpuId(0, 0).Ebx == AuthenticAmd;

    private static bool HasVectors =>
        AssembledAvx512.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 1).Eax >> VectorBFloat16Bit & 1) == 1;

    private static bool HasTiles =>
        HasVectors && (X86Base.CpuId(7, 0).Edx >> TileBFloat16Bit & 1) == 1 && (X86Base.CpuId(7, 0).Edx >> TileBit & 1) == 1 && LinuxMemory.RequestTileRegisters();

    /// <summary>A class of its own, so that what is not asked for is not assembled.</summary>
    private static class Tiles
    {
        public static readonly TileCode? Code = HasTiles ? TileCode.Assemble() : null;
    }

    /// <inheritdoc cref="Tiles"/>
    private static class Dots
    {
        public static readonly DotCode? Code = HasVectors ? DotCode.Assemble() : null;
    }

    /// <inheritdoc cref="Tiles"/>
    private static class One
    {
        public static readonly BlockCode? Code = (BlockCode?)Tiles.Code ?? Dots.Code;
    }
}
