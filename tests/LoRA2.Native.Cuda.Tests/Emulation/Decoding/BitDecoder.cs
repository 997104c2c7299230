using System.Numerics;
using LoRA2.Native.Cuda.Tests.Emulation.Operations;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>Decodes moves, logic, shifts and operations on bits.</summary>
internal static class BitDecoder
{
    public static Operation? Decode(Instruction i) => i.Name switch
    {
        "mov" => Move(i),
        "and" or "or" or "xor" or "not" => Logic(i),
        "shl" or "shr" => Shift(i),
        "popc" or "clz" or "brev" => Count(i),
        "bfe" => Extract(i),
        "bfi" => Insert(i),
        "prmt" => Ternary<Permute>(i),
        "shf" => Funnel(i),
        "lop3" => ThreeInput(i),
        _ => null,
    };

    private static Operation Move(Instruction i)
    {
        var type = i.TakeType();
        i.Finish(2);
        if (type == PtxType.Predicate)
            return new PredicateLogic(PredicateJoin.None, i.DestinationPredicate(i[0]), i.Predicate(1), i.Predicate(1));
        if (i[1].Kind == PtxOperandKind.Vector)
        {
            var parts = Parts(i, i[1], type).Select(s => s ?? throw i.Error("'_' cannot stand here")).ToArray();
            return new Pack(i.Destination(0, type), parts);
        }
        if (i[0].Kind == PtxOperandKind.Vector)
            return new Unpack(Parts(i, i[0], type), type.Size / i[0].Elements.Count, i.Source(1, type));
        Slot d = i.Destination(0, type), a = i.Source(1, type);
        return type.Size switch
        {
            2 => new Move<ushort>(d, a),
            4 => new Move<uint>(d, a),
            8 => new Move<ulong>(d, a),
            _ => throw i.Error($"is not known for {type}"),
        };
    }

    private static Slot?[] Parts(Instruction i, PtxOperand vector, PtxType type)
    {
        var size = type.Size / vector.Elements.Count;
        if (size is not (2 or 4) || size * vector.Elements.Count != type.Size)
            throw i.Error($"{type} cannot be made of {vector.Elements.Count} registers");
        var part = new PtxType(PtxTypeClass.Bits, size);
        return [.. vector.Elements.Select(o => o.Kind == PtxOperandKind.Sink ? (Slot?)null : i.Value(o, part))];
    }

    private static Operation Logic(Instruction i)
    {
        var type = i.TakeType();
        i.Finish(i.Name == "not" ? 2 : 3);
        if (type == PtxType.Predicate)
        {
            var d = i.DestinationPredicate(i[0]);
            var a = i.Predicate(1);
            return i.Name switch
            {
                "and" => new PredicateLogic(PredicateJoin.And, d, a, i.Predicate(2)),
                "or" => new PredicateLogic(PredicateJoin.Or, d, a, i.Predicate(2)),
                "xor" => new PredicateLogic(PredicateJoin.Xor, d, a, i.Predicate(2)),
                _ => new PredicateLogic(PredicateJoin.None, d, a with { Flip = ~a.Flip }, a),
            };
        }
        if (type.Class != PtxTypeClass.Bits)
            throw i.Error("must be of type .b16, .b32, .b64 or .pred");
        return type.Size switch { 2 => Logic<ushort>(i, type), 4 => Logic<uint>(i, type), _ => Logic<ulong>(i, type) };
    }

    private static Operation Logic<T>(Instruction i, PtxType type) where T : unmanaged, IBinaryInteger<T>
    {
        var d = i.Destination(0, type);
        var a = i.Source(1, type);
        return i.Name switch
        {
            "and" => new Binary<T, And<T>>(d, a, i.Source(2, type)),
            "or" => new Binary<T, Or<T>>(d, a, i.Source(2, type)),
            "xor" => new Binary<T, Xor<T>>(d, a, i.Source(2, type)),
            _ => new Unary<T, T, Not<T>>(d, a),
        };
    }

    private static Operation Shift(Instruction i)
    {
        var type = i.TakeType();
        i.Finish(3);
        if (type.IsFloat || (i.Name == "shl" && type.Class != PtxTypeClass.Bits))
            throw i.Error($"is not known for {type}");
        Slot d = i.Destination(0, type), a = i.Source(1, type), n = i.Source(2, PtxType.U32);
        return (i.Name, type.IsSigned, type.Size) switch
        {
            ("shl", _, 2) => new Shift<ushort, ShiftLeft<ushort>>(d, a, n),
            ("shl", _, 4) => new Shift<uint, ShiftLeft<uint>>(d, a, n),
            ("shl", _, _) => new Shift<ulong, ShiftLeft<ulong>>(d, a, n),
            (_, true, 2) => new Shift<short, ShiftRight<short>>(d, a, n),
            (_, true, 4) => new Shift<int, ShiftRight<int>>(d, a, n),
            (_, true, _) => new Shift<long, ShiftRight<long>>(d, a, n),
            (_, false, 2) => new Shift<ushort, ShiftRight<ushort>>(d, a, n),
            (_, false, 4) => new Shift<uint, ShiftRight<uint>>(d, a, n),
            _ => new Shift<ulong, ShiftRight<ulong>>(d, a, n),
        };
    }

    private static Operation Count(Instruction i)
    {
        var type = i.TakeType();
        i.Finish(2);
        if (type != PtxType.B32 && type != PtxType.B64)
            throw i.Error("must be of type .b32 or .b64");
        var a = i.Source(1, type);
        var d = i.Destination(0, i.Name == "brev" ? type : PtxType.U32);
        return (i.Name, type.Size) switch
        {
            ("popc", 4) => new Unary<uint, uint, PopulationCount<uint>>(d, a),
            ("popc", _) => new Unary<ulong, uint, PopulationCount<ulong>>(d, a),
            ("clz", 4) => new Unary<uint, uint, LeadingZeros<uint>>(d, a),
            ("clz", _) => new Unary<ulong, uint, LeadingZeros<ulong>>(d, a),
            ("brev", 4) => new Unary<uint, uint, Reverse<uint>>(d, a),
            _ => new Unary<ulong, ulong, Reverse<ulong>>(d, a),
        };
    }

    private static BitFieldExtract Extract(Instruction i)
    {
        var type = i.TakeType();
        i.Finish(4);
        if (!type.IsInteger || type.Size < 4)
            throw i.Error($"is not known for {type}");
        return new BitFieldExtract(type.IsSigned, type.Size, i.Destination(0, type), i.Source(1, type), i.Source(2, PtxType.U32), i.Source(3, PtxType.U32));
    }

    private static BitFieldInsert Insert(Instruction i)
    {
        var type = i.TakeType();
        i.Finish(5);
        if (type != PtxType.B32)
            throw i.Error("must be of type .b32");
        return new BitFieldInsert(i.Destination(0, type), i.Source(1, type), i.Source(2, type), i.Source(3, PtxType.U32), i.Source(4, PtxType.U32));
    }

    private static Operation Funnel(Instruction i)
    {
        var left = i.Take("l");
        if (!left && !i.Take("r"))
            throw i.Error("must have .l or .r");
        if (i.Take("wrap"))
            return left ? Ternary<FunnelLeftWrap>(i) : Ternary<FunnelRightWrap>(i);
        if (i.Take("clamp"))
            return left ? Ternary<FunnelLeftClamp>(i) : Ternary<FunnelRightClamp>(i);
        throw i.Error("must have .wrap or .clamp");
    }

    private static ThreeInputLogic ThreeInput(Instruction i)
    {
        var type = i.TakeType();
        i.Finish(5);
        return new ThreeInputLogic(i.Destination(0, type), i.Source(1, type), i.Source(2, type), i.Source(3, type), i.Immediate(4));
    }

    private static Operation Ternary<TFunction>(Instruction i) where TFunction : ITernary<uint>
    {
        var type = i.TakeType();
        i.Finish(4);
        if (type != PtxType.B32)
            throw i.Error("must be of type .b32");
        return new Ternary<uint, TFunction>(i.Destination(0, type), i.Source(1, type), i.Source(2, type), i.Source(3, type));
    }
}
