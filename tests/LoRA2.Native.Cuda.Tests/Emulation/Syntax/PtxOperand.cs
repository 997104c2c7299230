using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Cuda.Tests.Emulation.Syntax;

/// <summary>A declared register of one kernel.</summary>
internal sealed class PtxRegister(string name, PtxType type, int index)
{
    public string Name => name;

    public PtxType Type => type;

    /// <summary>Its number among the registers of the kernel.</summary>
    public int Index => index;

    /// <summary>Bytes a lane takes: 2, 4 or 8; predicates take a bit.</summary>
    public int Width => Math.Max(2, type.Size);
}

/// <summary>The state space of a variable or an access.</summary>
internal enum PtxSpace
{
    Generic,
    Global,
    Constant,
    Shared,
    Local,
    Parameter,
}

/// <summary>A variable in memory: a kernel's parameter, an array in shared or local memory, data of the module.</summary>
internal sealed class PtxVariable(string name, PtxSpace space, int size, int alignment)
{
    public string Name => name;

    public PtxSpace Space => space;

    /// <summary>Bytes; -1 for the dynamic part of shared memory.</summary>
    public int Size => size;

    public int Alignment => alignment;

    /// <summary>Offset from the start of its space, set when the kernel is laid out.</summary>
    public int Offset { get; set; }

    /// <summary>The initial bytes of a module's variable.</summary>
    public byte[]? Data { get; set; }
}

/// <summary>The forms of an instruction's operand.</summary>
internal enum PtxOperandKind
{
    Register,
    Special,
    Immediate,
    Variable,
    Label,
    Address,
    Vector,
    Sink,
}

/// <summary>An operand as written, its names resolved.</summary>
internal sealed class PtxOperand
{
    public required PtxOperandKind Kind { get; init; }

    public required string Text { get; init; }

    /// <summary>The register: of a value, or the base of an address.</summary>
    public PtxRegister? Register { get; init; }

    /// <summary>The variable: its address as a value, or the base of an address.</summary>
    public PtxVariable? Variable { get; init; }

    /// <summary>The bytes added to an address's base.</summary>
    public long Offset { get; init; }

    /// <summary>The operand was written <c>!p</c>.</summary>
    public bool Negated { get; init; }

    /// <summary>The second register of <c>a|b</c>.</summary>
    public PtxOperand? Second { get; init; }

    /// <summary>The elements of <c>{a, b}</c>.</summary>
    public IReadOnlyList<PtxOperand> Elements { get; init; } = [];
}
