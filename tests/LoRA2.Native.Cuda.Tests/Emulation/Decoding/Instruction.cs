using LoRA2.Native.Cuda.Tests.Emulation.Operations;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>
/// A statement while it is decoded. Modifiers are taken one by one, and what is left over is an error; operands are checked
/// against the instruction's types as ptxas does: sizes must agree, and a float register is no operand of whole numbers.
/// </summary>
internal sealed class Instruction
{
    private const int HintVersion = 74;

    private readonly List<string> modifiers;
    private readonly List<PtxOperand> destinations = [];

    public Instruction(PtxStatement statement, RegisterFile registers, MemoryLayout layout, int version)
    {
        (Statement, Registers, Layout) = (statement, registers, layout);
        var parts = statement.Opcode.Split('.');
        Name = parts[0];
        modifiers = [.. parts[1..]];
        // Hints on caching change nothing here, but an older ptxas does not know them.
        if (modifiers.RemoveAll(m => m.Contains("::", StringComparison.Ordinal)) > 0 && version < HintVersion)
            throw Error($"a cache hint such as '.L2::128B' needs PTX {HintVersion / 10}.{HintVersion % 10}, the module says {version / 10}.{version % 10}");
    }

    public PtxStatement Statement { get; }

    public RegisterFile Registers { get; }

    public MemoryLayout Layout { get; }

    public string Name { get; }

    /// <summary>The modifiers not yet taken.</summary>
    public IReadOnlyList<string> Modifiers => modifiers;

    /// <summary>The registers that it writes in every lane that runs it, whatever was in them.</summary>
    public IReadOnlyList<PtxOperand> Destinations => destinations;

    public int OperandCount => Statement.Operands.Count;

    public PtxOperand this[int i] => i < Statement.Operands.Count ? Statement.Operands[i] : throw Error("has too few operands");

    public PtxException Error(string what) => new($"PTX line {Statement.Line}, '{Statement}': {what}.");

    public bool Take(string modifier) => modifiers.Remove(modifier);

    /// <summary>Takes the first of some modifiers that is there.</summary>
    public string? TakeAny(params ReadOnlySpan<string> any)
    {
        foreach (var modifier in any)
        {
            if (modifiers.Remove(modifier))
                return modifier;
        }
        return null;
    }

    /// <summary>Takes the last modifier, which must be a type.</summary>
    public PtxType TakeType()
    {
        if (modifiers.Count == 0 || PtxType.Find(modifiers[^1]) is not { } type)
            throw Error("does not end with a type");
        modifiers.RemoveAt(modifiers.Count - 1);
        return type;
    }

    /// <summary>Checks that nothing is left over.</summary>
    public void Finish(int operands)
    {
        if (modifiers.Count > 0)
            throw Error($"the modifier '.{modifiers[0]}' is not known for '{Name}' of this type");
        if (Statement.Operands.Count != operands)
            throw Error($"has {Statement.Operands.Count} operands, must have {operands}");
    }

    public Slot Destination(int i, PtxType type) => Destination(this[i], type);

    public Slot Destination(PtxOperand operand, PtxType type)
    {
        if (operand.Kind != PtxOperandKind.Register)
            throw Error($"'{operand.Text}' must be a register");
        destinations.Add(operand);
        return Value(operand, type);
    }

    public Slot Source(int i, PtxType type) => Value(this[i], type);

    /// <summary>A register of the type's size, a constant, a special register or the address of a variable.</summary>
    public Slot Value(PtxOperand operand, PtxType type)
    {
        switch (operand.Kind)
        {
            case PtxOperandKind.Register:
                if (operand.Negated || operand.Second is not null)
                    throw Error($"'{operand.Text}' must be a plain register");
                CheckType(operand.Register!, type, exact: true);
                return Registers.Of(operand.Register!);
            case PtxOperandKind.Immediate:
                return Registers.Constant(RegisterFile.Parse(operand.Text, type) ?? throw Error($"'{operand.Text}' is not a constant of type {type}"), Math.Max(2, type.Size));
            case PtxOperandKind.Special:
                if (type.Size != 4 || type.IsFloat)
                    throw Error($"'{operand.Text}' has 32 bits, the instruction wants {type}");
                return Registers.Special(PtxSpecialRegister.Find(operand.Text)!.Value, 4);
            case PtxOperandKind.Variable:
                if (type.Size != 8 && !(type.Size == 4 && operand.Variable!.Space is PtxSpace.Shared or PtxSpace.Local))
                    throw Error($"the address of '{operand.Text}' does not fit into {type}");
                if (operand.Variable!.Space == PtxSpace.Parameter)
                    throw Error($"the address of parameter '{operand.Text}' is not supported");
                return Registers.AddressOf(operand.Variable, type.Size);
            default:
                throw Error($"'{operand.Text}' cannot stand here");
        }
    }

    /// <summary>An operand whose register may be wider than the type: of loads, stores and conversions.</summary>
    public Slot Wide(PtxOperand operand, PtxType type)
    {
        if (operand.Kind != PtxOperandKind.Register)
            return Value(operand, type);
        CheckType(operand.Register!, type, exact: false);
        return Registers.Of(operand.Register!);
    }

    /// <summary>The same of an operand that is written.</summary>
    public Slot WideDestination(PtxOperand operand, PtxType type)
    {
        destinations.Add(operand);
        return Wide(operand, type);
    }

    /// <summary>The number of the predicate that the instruction sets.</summary>
    public int DestinationPredicate(PtxOperand operand)
    {
        if (operand.Kind != PtxOperandKind.Register || operand.Register!.Type != PtxType.Predicate || operand.Negated)
            throw Error($"'{operand.Text}' must be a predicate register");
        return Registers.Predicate(operand.Register);
    }

    public PredicateSlot Predicate(int i)
    {
        var operand = this[i];
        if (operand.Kind == PtxOperandKind.Immediate)
            return new PredicateSlot(operand.Text == "0" ? Operation.PredicateFalse : Operation.PredicateTrue, 0);
        if (operand.Kind != PtxOperandKind.Register || operand.Register!.Type != PtxType.Predicate)
            throw Error($"'{operand.Text}' must be a predicate");
        return new PredicateSlot(Registers.Predicate(operand.Register), operand.Negated ? uint.MaxValue : 0);
    }

    /// <summary>A constant operand.</summary>
    public int Immediate(int i)
    {
        var operand = this[i];
        return operand.Kind == PtxOperandKind.Immediate && RegisterFile.Parse(operand.Text, PtxType.U32) is { } value
            ? (int)value
            : throw Error($"'{operand.Text}' must be a constant");
    }

    private void CheckType(PtxRegister register, PtxType type, bool exact)
    {
        var has = register.Type;
        if (has == PtxType.Predicate || type == PtxType.Predicate)
            throw Error($"'{register.Name}' is {has}, the instruction wants {type}");
        var fits = exact ? register.Width == Math.Max(2, type.Size) : register.Width >= type.Size;
        // A float register may hold bits; it is no operand of an instruction on whole numbers, nor the other way round.
        var agrees = has.Class == PtxTypeClass.Bits || type.Class == PtxTypeClass.Bits || has.IsFloat == type.IsFloat;
        if (!fits || !agrees)
            throw Error($"register '{register.Name}' is {has}, the instruction wants {type}");
    }
}
