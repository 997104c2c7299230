using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Iced.Intel;
using LoRA2.Native.Tensors.Cpu.Vectors;
using static Iced.Intel.AssemblerRegisters;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// The one place that says whether <see cref="AssembledCode"/> may use AVX-512 (F, BW and DQ): it depends on the processor and the operating system, not on what the rest of the program was compiled for. Linux on x64 only: memory
/// for code and its calling convention are as Linux has them.
/// </summary>
internal static unsafe class AssembledAvx512
{
    /// <summary>The states that the operating system has to keep for it: SSE's and AVX's registers, and of AVX-512 the masks, the upper halves and the upper sixteen.</summary>
    private const uint States = 0b1110_0110;

    /// <summary>Whether it may.</summary>
    public static bool IsSupported => Answer.Is;

    /// <summary>Whether the processor has it and the operating system keeps its registers, asked of them and not of the compiler.</summary>
    public static bool IsOfProcessorAndSystem() => CompiledFor.Widest() == SimdPath.Vector512 && (States & ~KeptStates()) == 0;

    private static bool Find()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64) return false;
        // A just-in-time compiler asked both, and settings may have told it to do without.
        if (Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported) return true;
        // Compiled ahead of time for less, only they can say. What goes with the kernels is written for 256 bits at least.
        return !RuntimeFeature.IsDynamicCodeSupported && Vector256.IsHardwareAccelerated && Fma.IsSupported && IsOfProcessorAndSystem();
    }

    /// <summary>The lower half of XCR0. .NET has no intrinsic for it; the instruction is there, as <see cref="CompiledFor.Widest"/> saw to.</summary>
    private static uint KeptStates()
    {
        AssembledCode? code = AssembledCode.Of(c =>
        {
            Label entry = AssembledCode.Start(c);
            c.xor(ecx, ecx);
            c.xgetbv();
            c.ret();
            return [entry];
        });
        return code == null ? 0 : ((delegate* unmanaged[SuppressGCTransition]<uint>)code.Entry(0))();
    }

    /// <summary>A class of its own, so that nothing is assembled before it is asked for.</summary>
    private static class Answer
    {
        public static readonly bool Is = Find();
    }
}
