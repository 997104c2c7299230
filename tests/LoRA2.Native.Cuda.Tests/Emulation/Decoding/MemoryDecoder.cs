using System.Numerics;
using LoRA2.Native.Cuda.Tests.Emulation.Operations;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>Decodes the instructions that touch memory.</summary>
internal static class MemoryDecoder
{
    public static Operation? Decode(Instruction i) => i.Name switch
    {
        "ld" or "ldu" => Load(i),
        "st" => Store(i),
        "cvta" => ConvertAddress(i),
        "atom" or "red" => Atomic(i),
        "cp" => AsyncCopy(i),
        "ldmatrix" => LoadMatrix(i),
        "prefetch" or "prefetchu" => new MemoryFence(),
        _ => null,
    };

    private static Operation Load(Instruction i)
    {
        var space = Space(i);
        var count = Qualifiers(i);
        var type = i.TakeType();
        i.Finish(2);
        var to = count == 1 ? [i[0]] : i[0].Elements;
        if (to.Count != count || (i[0].Kind == PtxOperandKind.Vector) != (count > 1))
            throw i.Error($"must load into {count} registers");
        var address = i[1];
        if (space == PtxSpace.Parameter)
        {
            if (address.Variable is null)
                throw i.Error("a parameter must be loaded by its name");
            if (address.Variable.Space == PtxSpace.Parameter)
            {
                if (address.Offset < 0 || address.Offset + (type.Size * count) > address.Variable.Size)
                    throw i.Error($"reads outside the parameter's {address.Variable.Size} bytes");
                return new LoadParameter(address.Variable.Offset + (int)address.Offset, type.Size, type.IsSigned, [.. to.Select(o => i.WideDestination(Plain(i, o), type))]);
            }
            space = PtxSpace.Local;
        }
        var target = Target(i, address, space, type.Size);
        var slots = to.Select(o => o.Kind == PtxOperandKind.Sink ? (Slot?)null : i.WideDestination(Plain(i, o), type)).ToArray();
        if (slots.Any(s => s is { } slot && slot.Width != type.Size))
            return new LoadExtended(target, type.Size, type.IsSigned, [.. slots.Select(s => s ?? throw i.Error("'_' is not supported here"))]);
        return type.Size switch
        {
            1 => throw i.Error("loads a byte into a register of its size"),
            2 => new Load<ushort>(target, slots),
            4 => new Load<uint>(target, slots),
            _ => new Load<ulong>(target, slots),
        };
    }

    private static Operation Store(Instruction i)
    {
        var space = Space(i);
        var count = Qualifiers(i);
        var type = i.TakeType();
        i.Finish(2);
        if (space == PtxSpace.Parameter)
            space = PtxSpace.Local;
        var from = count == 1 ? [i[1]] : i[1].Elements;
        if (from.Count != count || (i[1].Kind == PtxOperandKind.Vector) != (count > 1))
            throw i.Error($"must store {count} registers");
        var target = Target(i, i[0], space, type.Size);
        var slots = from.Select(o => i.Wide(o, type)).ToArray();
        return type.Size switch
        {
            1 => new Store<byte>(target, slots),
            2 => new Store<ushort>(target, slots),
            4 => new Store<uint>(target, slots),
            _ => new Store<ulong>(target, slots),
        };
    }

    private static ConvertAddress ConvertAddress(Instruction i)
    {
        var to = i.Take("to");
        var space = Space(i);
        var type = i.TakeType();
        i.Finish(2);
        if (type != PtxType.U64)
            throw i.Error("only 64-bit addresses are supported");
        var window = space switch { PtxSpace.Shared => MemoryAccess.SharedWindow, PtxSpace.Local => MemoryAccess.LocalWindow, _ => 0UL };
        return new ConvertAddress(i.Destination(0, type), i.Source(1, type), to ? 0 - window : window);
    }

    private static Operation Atomic(Instruction i)
    {
        var space = Space(i);
        Qualifiers(i);
        var operation = i.TakeAny("add", "and", "or", "xor", "min", "max", "exch", "cas") ?? throw i.Error("names no atomic operation that is known");
        var type = i.TakeType();
        i.Take("noftz");
        var isAtom = i.Name == "atom";
        var at = isAtom ? 1 : 0;
        i.Finish(at + (operation == "cas" ? 3 : 2));
        var target = Target(i, i[at], space, type.Size);
        Slot? d = isAtom && i[0].Kind != PtxOperandKind.Sink ? i.Destination(0, type) : null;
        var value = i.Source(at + 1, type);
        if (operation == "cas")
        {
            var next = i.Source(at + 2, type);
            return type.Size == 8 ? new CompareAndSwap<ulong>(target, d, value, next) : new CompareAndSwap<uint>(target, d, value, next);
        }
        return (type.Class, type.Size) switch
        {
            (PtxTypeClass.Float, 4) when operation == "add" => new Atomic<float, Add<float>>(target, d, value),
            (PtxTypeClass.Float, 8) when operation == "add" => new Atomic<double, Add<double>>(target, d, value),
            (PtxTypeClass.Signed, 4) => Atomic<int>(i, operation, target, d, value),
            (PtxTypeClass.Signed, 8) => Atomic<long>(i, operation, target, d, value),
            (PtxTypeClass.Unsigned or PtxTypeClass.Bits, 4) => Atomic<uint>(i, operation, target, d, value),
            (PtxTypeClass.Unsigned or PtxTypeClass.Bits, 8) => Atomic<ulong>(i, operation, target, d, value),
            _ => throw i.Error("is not an atomic operation that is known"),
        };
    }

    private static Operation Atomic<T>(Instruction i, string operation, MemoryTarget target, Slot? d, Slot value)
        where T : unmanaged, IBinaryInteger<T> => operation switch
        {
            "add" => new Atomic<T, Add<T>>(target, d, value),
            "and" => new Atomic<T, And<T>>(target, d, value),
            "or" => new Atomic<T, Or<T>>(target, d, value),
            "xor" => new Atomic<T, Xor<T>>(target, d, value),
            "min" => new Atomic<T, Minimum<T>>(target, d, value),
            "max" => new Atomic<T, Maximum<T>>(target, d, value),
            "exch" => new Atomic<T, Exchange<T>>(target, d, value),
            _ => throw i.Error("is not an atomic operation that is known"),
        };

    private static Operation AsyncCopy(Instruction i)
    {
        if (!i.Take("async"))
            throw i.Error("is not known");
        if (i.Take("commit_group"))
        {
            i.Finish(0);
            return new CommitGroup();
        }
        if (i.Take("wait_all"))
        {
            i.Finish(0);
            return new WaitGroup(null);
        }
        if (i.Take("wait_group"))
        {
            i.Finish(1);
            return new WaitGroup(i.Immediate(0));
        }
        var cache = i.TakeAny("ca", "cg") ?? throw i.Error("is not known");
        if (!i.Take("shared") | !i.Take("global"))
            throw i.Error("must copy from .global to .shared");
        i.Finish(i.OperandCount == 4 ? 4 : 3);
        var bytes = i.Immediate(2);
        if (bytes != 16 && (cache == "cg" || bytes is not (4 or 8)))
            throw i.Error($"cannot copy {bytes} bytes (.ca copies 4, 8 or 16, .cg 16)");
        var shared = Target(i, i[0], PtxSpace.Shared, bytes);
        var global = Target(i, i[1], PtxSpace.Global, bytes);
        return new AsyncCopy(shared, global, bytes, i.OperandCount == 4 ? i.Source(3, PtxType.U32) : null);
    }

    private static LoadMatrix LoadMatrix(Instruction i)
    {
        if (!i.Take("sync") | !i.Take("aligned") | !i.Take("m8n8"))
            throw i.Error("must be ldmatrix.sync.aligned.m8n8");
        var count = i.TakeAny("x1", "x2", "x4") ?? throw i.Error("must have .x1, .x2 or .x4");
        var transposed = i.Take("trans");
        var space = Space(i);
        if (!i.Take("b16"))
            throw i.Error("must load .b16");
        i.Finish(2);
        if (space is not (PtxSpace.Shared or PtxSpace.Generic) || i[0].Elements.Count != count[1] - '0')
            throw i.Error($"must load {count[1]} registers from shared memory");
        return new LoadMatrix(Target(i, i[1], space, 2), [.. i[0].Elements.Select(o => i.Destination(o, PtxType.B32))], transposed);
    }

    private static PtxSpace Space(Instruction i) => i.TakeAny("global", "shared", "local", "param", "const") switch
    {
        "global" => PtxSpace.Global,
        "shared" => PtxSpace.Shared,
        "local" => PtxSpace.Local,
        "param" => PtxSpace.Parameter,
        "const" => PtxSpace.Constant,
        _ => PtxSpace.Generic,
    };

    // Takes what says nothing about the value: caching, ordering, scope. Returns the number of elements.
    private static int Qualifiers(Instruction i)
    {
        while (i.TakeAny("nc", "ca", "cg", "cs", "lu", "cv", "wb", "wt", "volatile", "relaxed", "acquire", "release", "acq_rel", "weak", "cta", "gpu", "sys") is not null)
        {
        }
        return i.TakeAny("v2", "v4") is { } vector ? vector[1] - '0' : 1;
    }

    private static PtxOperand Plain(Instruction i, PtxOperand operand) =>
        operand.Kind == PtxOperandKind.Register ? operand : throw i.Error($"'{operand.Text}' must be a register");

    private static MemoryTarget Target(Instruction i, PtxOperand address, PtxSpace space, int elementBytes)
    {
        if (address.Kind != PtxOperandKind.Address)
            throw i.Error($"'{address.Text}' must be an address in brackets");
        if (space is PtxSpace.Shared or PtxSpace.Generic)
            i.Layout.SharedUnit = Math.Min(i.Layout.SharedUnit, elementBytes);
        if (space is PtxSpace.Global or PtxSpace.Generic)
            i.Layout.GlobalUnit = Math.Min(i.Layout.GlobalUnit, elementBytes);
        Slot slot;
        if (address.Register is { } register)
        {
            if (register.Type.IsFloat || (register.Width != 8 && !(register.Width == 4 && space is PtxSpace.Shared or PtxSpace.Local)))
                throw i.Error($"register '{register.Name}' ({register.Type}) is no address of this space");
            slot = i.Registers.Of(register);
        }
        else if (address.Variable is { } variable)
        {
            if (variable.Space != space)
                throw i.Error($"'{variable.Name}' lies in {variable.Space} memory, the instruction touches {space} memory");
            slot = i.Registers.AddressOf(variable, 8);
        }
        else
        {
            slot = i.Registers.Constant(0, 8);
        }
        return new MemoryTarget(space, slot, address.Offset, i.Layout.Ranges++);
    }
}
