namespace LoRA2.Native.Cuda.Tests.Emulation.Syntax;

/// <summary>One instruction as written.</summary>
internal sealed class PtxStatement
{
    public required int Line { get; init; }

    /// <summary>The opcode with all its modifiers, such as <c>ld.global.v4.f32</c>.</summary>
    public required string Opcode { get; init; }

    public required IReadOnlyList<PtxOperand> Operands { get; init; }

    public PtxRegister? Guard { get; init; }

    public bool GuardNegated { get; init; }

    /// <summary>The statement indices a branch may go to.</summary>
    public IReadOnlyList<int> Targets { get; set; } = [];

    public override string ToString() =>
        (Guard is null ? "" : $"@{(GuardNegated ? "!" : "")}{Guard.Name} ") + Opcode + " " + string.Join(", ", Operands.Select(o => o.Text));
}

/// <summary>A kernel as written: its parameters, its variables, its instructions.</summary>
internal sealed class PtxFunction
{
    public required string Name { get; init; }

    public required int Line { get; init; }

    public List<PtxVariable> Parameters { get; } = [];

    public List<PtxVariable> Variables { get; } = [];

    public List<PtxRegister> Registers { get; } = [];

    public List<PtxStatement> Statements { get; } = [];
}
