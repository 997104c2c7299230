using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary>What the scheduler of a warp has to do about an operation.</summary>
internal enum OperationFlow
{
    /// <summary>Nothing: lanes at this place run it, the next one follows.</summary>
    Straight,

    /// <summary>A branch, possibly of some lanes only.</summary>
    Branch,

    /// <summary>The lanes end.</summary>
    Exit,

    /// <summary>All lanes named by a mask must arrive before it runs.</summary>
    Gather,

    /// <summary>All threads of the block must arrive.</summary>
    Barrier,
}

/// <summary>The lanes of a register in a warp's register file: lane i's value lies at <c>Offset + i * Width</c>.</summary>
internal readonly record struct Slot(int Offset, int Width);

/// <summary>A predicate operand; read as a mask of lanes.</summary>
internal readonly record struct PredicateSlot(int Index, uint Flip)
{
    public unsafe uint Read(Warp warp) => warp.Predicates[Index] ^ Flip;
}

/// <summary>One decoded instruction. It holds no state of an execution, so that one kernel may run on several threads.</summary>
internal abstract class Operation
{
    /// <summary>The line of the text it stands on; 0 for a jump that the layout added.</summary>
    public int Line { get; set; }

    /// <summary>The instruction as written.</summary>
    public string Text { get; set; } = "";

    /// <summary>The opcode with its modifiers.</summary>
    public string Opcode { get; set; } = "";

    public PredicateSlot Guard { get; set; } = new(PredicateTrue, 0);

    public virtual OperationFlow Flow => OperationFlow.Straight;

    /// <summary>The predicate slots that are always false and always true.</summary>
    public const int PredicateFalse = 0;
    public const int PredicateTrue = 1;

    /// <summary>Runs it for the lanes of <paramref name="mask"/>, which is not empty.</summary>
    public abstract void Execute(Warp warp, uint mask);

    /// <summary>The lanes that must arrive together, of an operation whose flow is Gather.</summary>
    public virtual uint Members(Warp warp, uint mask) => uint.MaxValue;
}
