using LoRA2.Native.Cuda.Tests.Emulation.Operations;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>Decodes what lanes and warps do together, and control.</summary>
internal static class WarpDecoder
{
    public static Operation? Decode(Instruction i) => i.Name switch
    {
        "bra" => new Branch { IsUniform = i.Statement.Opcode == "bra.uni" },
        "brx" => new IndexedBranch(i.Source(0, PtxType.U32), i.Statement.Targets.Count),
        "ret" or "exit" => new Exit(),
        "trap" => new Trap(),
        "membar" or "fence" => new MemoryFence(),
        "bar" or "barrier" => Barrier(i),
        "shfl" => Shuffle(i),
        "vote" => Vote(i),
        "activemask" => ActiveMask(i),
        "redux" => Reduce(i),
        "mma" => MatrixMultiply(i),
        _ => null,
    };

    private static Operation Barrier(Instruction i)
    {
        if (i.Take("warp"))
        {
            if (!i.Take("sync"))
                throw i.Error("is not known");
            i.Finish(1);
            return new WarpBarrier(i.Source(0, PtxType.B32));
        }
        i.Take("cta");
        i.Take("aligned");
        var always = new PredicateSlot(Operation.PredicateTrue, 0);
        if (i.Take("sync"))
        {
            i.Finish(i.OperandCount == 2 ? 2 : 1);
            return new BlockBarrier(i.Source(0, PtxType.U32), i.OperandCount == 2 ? i.Source(1, PtxType.U32) : null, BarrierReduction.None, always, default, 0);
        }
        if (!i.Take("red"))
            throw i.Error("is not known");
        var type = i.TakeType();
        var reduction = i.TakeAny("popc", "and", "or") switch { "popc" => BarrierReduction.Count, "and" => BarrierReduction.All, "or" => BarrierReduction.Any, _ => throw i.Error("is not known") };
        i.Finish(i.OperandCount == 4 ? 4 : 3);
        var isCount = reduction == BarrierReduction.Count;
        return new BlockBarrier(
            i.Source(1, PtxType.U32),
            i.OperandCount == 4 ? i.Source(2, PtxType.U32) : null,
            reduction,
            i.Predicate(i.OperandCount - 1),
            isCount ? i.Destination(0, type) : default,
            isCount ? 0 : i.DestinationPredicate(i[0]));
    }

    private static Shuffle Shuffle(Instruction i)
    {
        if (!i.Take("sync"))
            throw i.Error("must have .sync");
        var mode = i.TakeAny("up", "down", "bfly", "idx") switch
        {
            "up" => ShuffleMode.Up,
            "down" => ShuffleMode.Down,
            "bfly" => ShuffleMode.Butterfly,
            "idx" => ShuffleMode.Index,
            _ => throw i.Error("must have .up, .down, .bfly or .idx"),
        };
        var type = i.TakeType();
        i.Finish(5);
        if (type != PtxType.B32)
            throw i.Error("must be of type .b32");
        var d = i[0];
        int? predicate = d.Second is { } second ? i.DestinationPredicate(second) : null;
        var register = new PtxOperand { Kind = d.Kind, Text = d.Text, Register = d.Register };
        return new Shuffle(mode, i.Destination(register, type), predicate, i.Source(1, type), i.Source(2, type), i.Source(3, type), i.Source(4, type));
    }

    private static Vote Vote(Instruction i)
    {
        if (!i.Take("sync"))
            throw i.Error("must have .sync");
        var mode = i.TakeAny("all", "any", "uni", "ballot") switch
        {
            "all" => VoteMode.All,
            "any" => VoteMode.Any,
            "uni" => VoteMode.Uniform,
            "ballot" => VoteMode.Ballot,
            _ => throw i.Error("must have .all, .any, .uni or .ballot"),
        };
        i.TakeType();
        i.Finish(3);
        var isBallot = mode == VoteMode.Ballot;
        return new Vote(mode, isBallot ? i.Destination(0, PtxType.B32) : default, isBallot ? 0 : i.DestinationPredicate(i[0]), i.Predicate(1), i.Source(2, PtxType.B32));
    }

    private static ActiveMask ActiveMask(Instruction i)
    {
        i.TakeType();
        i.Finish(1);
        return new ActiveMask(i.Destination(0, PtxType.B32));
    }

    private static Operation Reduce(Instruction i)
    {
        if (!i.Take("sync"))
            throw i.Error("must have .sync");
        var type = i.TakeType();
        var name = i.TakeAny("add", "min", "max", "and", "or", "xor") ?? throw i.Error("is not known");
        i.Finish(3);
        Slot d = i.Destination(0, type), a = i.Source(1, type), members = i.Source(2, PtxType.B32);
        return (name, type.IsSigned) switch
        {
            ("add", _) => new Reduce<uint, Add<uint>>(d, a, members),
            ("min", true) => new Reduce<int, Minimum<int>>(d, a, members),
            ("min", false) => new Reduce<uint, Minimum<uint>>(d, a, members),
            ("max", true) => new Reduce<int, Maximum<int>>(d, a, members),
            ("max", false) => new Reduce<uint, Maximum<uint>>(d, a, members),
            ("and", _) => new Reduce<uint, And<uint>>(d, a, members),
            ("or", _) => new Reduce<uint, Or<uint>>(d, a, members),
            _ => new Reduce<uint, Xor<uint>>(d, a, members),
        };
    }

    private static Operation MatrixMultiply(Instruction i) => i.Statement.Opcode switch
    {
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" => MatrixMultiply<BFloat16Element>(i, 2),
        "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32" => MatrixMultiply<BFloat16Element>(i, 1),
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32" => MatrixMultiply<Float16Element>(i, 2),
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32" => MatrixMultiply<Float16Element>(i, 1),
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32" => MatrixMultiply<TensorFloat32Element>(i, 2),
        "mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32" => MatrixMultiply<TensorFloat32Element>(i, 1),
        _ => throw i.Error("is not a matrix product that is known"),
    };

    // B has so many registers, A twice as many.
    private static MatrixMultiply<TElement> MatrixMultiply<TElement>(Instruction i, int registers) where TElement : IMatrixElement
    {
        if (i.OperandCount != 4)
            throw i.Error("must have four operands");
        return new MatrixMultiply<TElement>(List(i, 0, 4, PtxType.F32), List(i, 1, 2 * registers, PtxType.B32), List(i, 2, registers, PtxType.B32), List(i, 3, 4, PtxType.F32));
    }

    private static Slot[] List(Instruction i, int operand, int count, PtxType type)
    {
        var elements = i[operand].Elements;
        if (elements.Count != count)
            throw i.Error($"operand {operand + 1} must have {count} registers");
        return [.. elements.Select(e =>
        {
            // ptxas takes no float register for packed elements, although they are only bits.
            if (type == PtxType.B32 && e.Register?.Type.IsFloat == true)
                throw i.Error($"register '{e.Text}' is {e.Register.Type}, the instruction wants .b32");
            return operand == 0 ? i.Destination(e, type) : i.Value(e, type);
        })];
    }
}
