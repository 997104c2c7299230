using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// The processor's tile unit (Intel AMX, bfloat16 products), with the code that this process has assembled for it. Linux on x64 only: there a
/// process has to ask for the tile registers before it first uses them.
/// </summary>
internal static unsafe class TileUnit
{
    private const int BFloat16Bit = 22;
    private const int TileBit = 24;

    /// <summary>AVX512-BF16, which rounds floats.</summary>
    private const int ConversionBit = 5;

    /// <summary>The kernels, or null where there is no tile unit, or the system grants neither its registers nor executable memory.</summary>
    private static readonly TileCode? Code = Start();

    /// <summary>Whether tile products can run in this process.</summary>
    public static bool IsSupported => Code != null;

    /// <summary>The kernels' entry points.</summary>
    /// <exception cref="PlatformNotSupportedException">There is no tile unit here.</exception>
    public static TileCode Kernels =>
        Code ?? throw new PlatformNotSupportedException("This process has no tile unit: bfloat16 products take the vector path.");

    private static TileCode? Start()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64) return null;
        if (!X86Base.IsSupported || !Avx512F.IsSupported || !Avx512BW.IsSupported || !Avx512DQ.IsSupported) return null;
        if (X86Base.CpuId(0, 0).Eax < 7) return null;
        int features = X86Base.CpuId(7, 0).Edx;
        if ((features >> BFloat16Bit & 1) == 0 || (features >> TileBit & 1) == 0) return null;
        if ((X86Base.CpuId(7, 1).Eax >> ConversionBit & 1) == 0) return null;
        if (!LinuxMemory.RequestTileRegisters()) return null;
        return TileCode.Assemble();
    }
}
