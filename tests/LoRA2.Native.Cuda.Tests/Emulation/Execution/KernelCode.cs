using LoRA2.Native.Cuda.Tests.Emulation.Operations;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Execution;

/// <summary>A kernel decoded and laid out, ready to run.</summary>
internal sealed class KernelCode
{
    public required string Name { get; init; }

    public required Operation[] Code { get; init; }

    /// <summary>For each place, where the stretch from there ends that neither branches nor waits nor asks a predicate.</summary>
    public required int[] Stretches { get; init; }

    public required IReadOnlyList<PtxVariable> Parameters { get; init; }

    public required int ParameterBytes { get; init; }

    /// <summary>Bytes of a warp's registers, special registers and constants.</summary>
    public required int RegisterBytes { get; init; }

    /// <summary>The registers that a thread may read before it has written them.</summary>
    public required IReadOnlyList<Slot> Unset { get; init; }

    public required int PredicateCount { get; init; }

    public required int LocalBytes { get; init; }

    /// <summary>The number of memory operations that remember an allocation.</summary>
    public required int RangeCount { get; init; }

    /// <summary>The constants: their place among the registers, their width, their bits.</summary>
    public required IReadOnlyList<(Slot Slot, ulong Bits)> Constants { get; init; }

    public required IReadOnlyList<(Slot Slot, PtxSpecial Special)> Specials { get; init; }

    /// <summary>Places that hold the address of a variable of the module.</summary>
    public required IReadOnlyList<(Slot Slot, PtxVariable Variable)> Symbols { get; init; }

    /// <summary>Where the declared variables lie in shared memory, without the dynamic one.</summary>
    public required IReadOnlyList<(int Offset, int Size)> SharedVariables { get; init; }

    /// <summary>Where the dynamic part of shared memory starts.</summary>
    public required int DynamicOffset { get; init; }

    /// <summary>Bytes of shared memory as declared.</summary>
    public int StaticSharedBytes => SharedVariables.Sum(v => v.Size);

    /// <summary>The width in bytes of the narrowest access to shared memory.</summary>
    public required int SharedUnit { get; init; }

    /// <summary>The width in bytes of the narrowest access to global memory.</summary>
    public required int GlobalUnit { get; init; }
}
