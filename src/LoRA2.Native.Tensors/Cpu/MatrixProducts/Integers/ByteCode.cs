using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>
/// Products of packed blocks of bytes, unsigned in A and signed in B, by AVX512-VNNI's <c>vpdpbusd</c>, which adds four of them to each of 16 sums and saturates nowhere: four times the multiplications of a fused multiply-add.
/// .NET has it for 256 bits only, under AVX-VNNI, which AMD's processors lack until Zen 5. Linux on x64 only, as <see cref="BFloat16Code"/>.
/// </summary>
internal static unsafe class ByteCode
{
    /// <summary>The longest depth whose sums are certain to fit into 32 bits.</summary>
    public const int MostDepth = int.MaxValue / (byte.MaxValue * Int8PackedMatrix.Levels);

    /// <summary>Bytes of a row in a step along the depth.</summary>
    public const int StepDepth = 64;

    private const int VnniBit = 11;

    private static readonly AssembledCode? Code = HasVnni ? AssembledCode.Of(c => DotKernels.Write(c, (c, sums, x, y) => c.vpdpbusd(sums, x, y))) : null;

    /// <summary>Whether products called on this thread may use it: the processor and the system have it, and vectors of 512 bits are what is in use.</summary>
    public static bool IsCurrent => SimdPaths.Current == SimdPath.Vector512 && Code != null;

    private static bool HasVnni =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && Avx512F.IsSupported && Avx512BW.IsSupported &&
        X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 0).Ecx >> VnniBit & 1) == 1;

    /// <summary>Makes a block of up to 32 × 32 sums of integers at <see cref="TileCall.C"/>; its columns are written in multiples of 16.</summary>
    public static void Multiply(TileCall* call, int rows, int columns) => DotKernels.Multiply(Code!, call, rows, columns);
}
