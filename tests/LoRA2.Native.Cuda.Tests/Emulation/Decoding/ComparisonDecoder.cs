using System.Numerics;
using LoRA2.Native.Cuda.Tests.Emulation.Operations;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>Decodes comparisons and choices.</summary>
internal static class ComparisonDecoder
{
    public static Operation? Decode(Instruction i) => i.Name switch
    {
        "setp" => Compare(i),
        "selp" => Select(i),
        "testp" => Test(i),
        _ => null,
    };

    private static Operation Compare(Instruction i)
    {
        var type = i.TakeType();
        var join = i.TakeAny("and", "or", "xor") switch
        {
            "and" => PredicateJoin.And,
            "or" => PredicateJoin.Or,
            "xor" => PredicateJoin.Xor,
            _ => PredicateJoin.None,
        };
        var comparison = i.TakeAny("eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan")
            ?? throw i.Error("names no comparison that is known");
        i.Take("ftz");
        i.Finish(join == PredicateJoin.None ? 3 : 4);
        if (type.Class == PtxTypeClass.Bits && comparison is not ("eq" or "ne"))
            throw i.Error($"'{comparison}' is not known for {type}");
        if (comparison is "lo" or "ls" or "hi" or "hs" && type.Class != PtxTypeClass.Unsigned)
            throw i.Error($"'{comparison}' is not known for {type}");
        return (type.Class, type.Size) switch
        {
            (PtxTypeClass.Signed, 2) => Compare<short>(i, type, comparison, join),
            (PtxTypeClass.Signed, 4) => Compare<int>(i, type, comparison, join),
            (PtxTypeClass.Signed, 8) => Compare<long>(i, type, comparison, join),
            (PtxTypeClass.Unsigned or PtxTypeClass.Bits, 2) => Compare<ushort>(i, type, comparison, join),
            (PtxTypeClass.Unsigned or PtxTypeClass.Bits, 4) => Compare<uint>(i, type, comparison, join),
            (PtxTypeClass.Unsigned or PtxTypeClass.Bits, 8) => Compare<ulong>(i, type, comparison, join),
            (PtxTypeClass.Float, 4) => Compare<float>(i, type, comparison, join),
            (PtxTypeClass.Float, 8) => Compare<double>(i, type, comparison, join),
            (PtxTypeClass.Float, 2) when !type.BFloat => Compare<Half>(i, type, comparison, join),
            _ => throw i.Error($"is not known for {type}"),
        };
    }

    private static Operation Compare<T>(Instruction i, PtxType type, string comparison, PredicateJoin join) where T : unmanaged, INumber<T>
    {
        var d = i.DestinationPredicate(i[0]);
        int? second = i[0].Second is { } q ? i.DestinationPredicate(q) : null;
        Slot a = i.Source(1, type), b = i.Source(2, type);
        var third = join == PredicateJoin.None ? new PredicateSlot(Operation.PredicateTrue, 0) : i.Predicate(3);
        Operation Make<TComparison>(bool change, bool negate, bool ordered) where TComparison : IComparison<T> =>
            new Compare<T, TComparison>(d, second, change ? b : a, change ? a : b, negate, ordered, join, third);
        return comparison switch
        {
            "eq" => Make<Equal<T>>(false, false, false),
            "ne" => Make<Equal<T>>(false, true, type.IsFloat),
            "lt" or "lo" => Make<Less<T>>(false, false, false),
            "le" or "ls" => Make<LessOrEqual<T>>(false, false, false),
            "gt" or "hi" => Make<Less<T>>(true, false, false),
            "ge" or "hs" => Make<LessOrEqual<T>>(true, false, false),
            "neu" => Make<Equal<T>>(false, true, false),
            // Unordered comparisons hold of a NaN: not the opposite, ordered one.
            "ltu" => Make<LessOrEqual<T>>(true, true, false),
            "leu" => Make<Less<T>>(true, true, false),
            "gtu" => Make<LessOrEqual<T>>(false, true, false),
            "geu" => Make<Less<T>>(false, true, false),
            "num" => Make<Ordered<T>>(false, false, false),
            "nan" => Make<Ordered<T>>(false, true, false),
            _ => Make<EqualOrUnordered<T>>(false, false, false),
        };
    }

    private static Operation Select(Instruction i)
    {
        var type = i.TakeType();
        i.Finish(4);
        Slot d = i.Destination(0, type), a = i.Source(1, type), b = i.Source(2, type);
        var p = i.Predicate(3);
        return type.Size switch { 2 => new Select<ushort>(d, a, b, p), 4 => new Select<uint>(d, a, b, p), _ => new Select<ulong>(d, a, b, p) };
    }

    private static Operation Test(Instruction i)
    {
        var type = i.TakeType();
        var test = i.TakeAny("finite", "infinite", "number", "notanumber", "normal", "subnormal") switch
        {
            "finite" => FloatTest.Finite,
            "infinite" => FloatTest.Infinite,
            "number" => FloatTest.Number,
            "notanumber" => FloatTest.NotANumber,
            "normal" => FloatTest.Normal,
            "subnormal" => FloatTest.Subnormal,
            _ => throw i.Error("names no test that is known"),
        };
        i.Finish(2);
        var d = i.DestinationPredicate(i[0]);
        var a = i.Source(1, type);
        return type.Size == 8 ? new TestFloat<double>(test, d, a) : new TestFloat<float>(test, d, a);
    }
}
