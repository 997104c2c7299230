using System.Numerics;
using LoRA2.Native.Cuda.Tests.Emulation.Operations;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>Decodes arithmetic on whole numbers and floats.</summary>
internal static class ArithmeticDecoder
{
    public static Operation? Decode(Instruction i) => i.Name switch
    {
        "add" => Number<AddCase>(i),
        "sub" => Number<SubtractCase>(i),
        "mul" => Product(i),
        "mad" or "fma" => MultiplyAdd(i),
        "div" => Divide(i),
        "rem" => Number<RemainderCase>(i),
        "min" => i.Take("NaN") ? Number<MinimumNaNCase>(i) : Number<MinimumCase>(i),
        "max" => i.Take("NaN") ? Number<MaximumNaNCase>(i) : Number<MaximumCase>(i),
        "copysign" => i.Take("f64") ? Binary<double, CopySignDouble>(i, new PtxType(PtxTypeClass.Float, 8)) : Binary<float, CopySign>(i, i.TakeType()),
        "neg" => Number<NegateCase>(i),
        "abs" => Number<AbsoluteCase>(i),
        "ex2" or "lg2" or "rcp" or "rsqrt" or "sqrt" or "sin" or "cos" or "tanh" => Function(i),
        _ => null,
    };

    // One generic decoder for every type: an instance says which operation it is.
    private interface INumberCase
    {
        static abstract Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T>;

        static abstract Operation MakeFlushed(Instruction i);
    }

    private readonly struct AddCase : INumberCase
    {
        public static Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T> => Binary<T, Add<T>>(i, type);

        public static Operation MakeFlushed(Instruction i) => Binary<float, FlushedBinary<Add<float>>>(i, PtxType.F32);
    }

    private readonly struct SubtractCase : INumberCase
    {
        public static Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T> => Binary<T, Subtract<T>>(i, type);

        public static Operation MakeFlushed(Instruction i) => Binary<float, FlushedBinary<Subtract<float>>>(i, PtxType.F32);
    }

    private readonly struct MultiplyCase : INumberCase
    {
        public static Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T> => Binary<T, Multiply<T>>(i, type);

        public static Operation MakeFlushed(Instruction i) => Binary<float, FlushedBinary<Multiply<float>>>(i, PtxType.F32);
    }

    private readonly struct DivideCase : INumberCase
    {
        public static Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T> => Binary<T, Divide<T>>(i, type);

        public static Operation MakeFlushed(Instruction i) => Binary<float, FlushedBinary<Divide<float>>>(i, PtxType.F32);
    }

    private readonly struct RemainderCase : INumberCase
    {
        public static Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T> => Binary<T, Remainder<T>>(i, type);

        public static Operation MakeFlushed(Instruction i) => throw i.Error("is not for floats");
    }

    private readonly struct MinimumCase : INumberCase
    {
        public static Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T> => Binary<T, Minimum<T>>(i, type);

        public static Operation MakeFlushed(Instruction i) => Binary<float, FlushedBinary<Minimum<float>>>(i, PtxType.F32);
    }

    private readonly struct MaximumCase : INumberCase
    {
        public static Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T> => Binary<T, Maximum<T>>(i, type);

        public static Operation MakeFlushed(Instruction i) => Binary<float, FlushedBinary<Maximum<float>>>(i, PtxType.F32);
    }

    private readonly struct MinimumNaNCase : INumberCase
    {
        public static Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T> => Binary<T, MinimumNaN<T>>(i, type);

        public static Operation MakeFlushed(Instruction i) => Binary<float, FlushedBinary<MinimumNaN<float>>>(i, PtxType.F32);
    }

    private readonly struct MaximumNaNCase : INumberCase
    {
        public static Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T> => Binary<T, MaximumNaN<T>>(i, type);

        public static Operation MakeFlushed(Instruction i) => Binary<float, FlushedBinary<MaximumNaN<float>>>(i, PtxType.F32);
    }

    private readonly struct NegateCase : INumberCase
    {
        public static Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T> => Unary<T, Negate<T>>(i, type);

        public static Operation MakeFlushed(Instruction i) => Unary<float, FlushedUnary<Negate<float>>>(i, PtxType.F32);
    }

    private readonly struct AbsoluteCase : INumberCase
    {
        public static Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T> => Unary<T, Absolute<T>>(i, type);

        public static Operation MakeFlushed(Instruction i) => Unary<float, FlushedUnary<Absolute<float>>>(i, PtxType.F32);
    }

    private readonly struct MultiplyAddCase : INumberCase
    {
        public static Operation Make<T>(Instruction i, PtxType type) where T : unmanaged, INumber<T> => Ternary<T, MultiplyAdd<T>>(i, type);

        public static Operation MakeFlushed(Instruction i) => throw i.Error("is not for floats");
    }

    private static Operation Number<TCase>(Instruction i) where TCase : INumberCase
    {
        var type = i.TakeType();
        if (type.IsFloat)
            i.Take("rn");
        if (i.Take("ftz"))
            return type == PtxType.F32 ? TCase.MakeFlushed(i) : throw i.Error(".ftz is only known for .f32");
        return (type.Class, type.Size) switch
        {
            (PtxTypeClass.Unsigned, 2) => TCase.Make<ushort>(i, type),
            (PtxTypeClass.Signed, 2) => TCase.Make<short>(i, type),
            (PtxTypeClass.Unsigned, 4) => TCase.Make<uint>(i, type),
            (PtxTypeClass.Signed, 4) => TCase.Make<int>(i, type),
            (PtxTypeClass.Unsigned, 8) => TCase.Make<ulong>(i, type),
            (PtxTypeClass.Signed, 8) => TCase.Make<long>(i, type),
            (PtxTypeClass.Float, 4) => TCase.Make<float>(i, type),
            (PtxTypeClass.Float, 8) => TCase.Make<double>(i, type),
            (PtxTypeClass.Float, 2) when !type.BFloat => TCase.Make<Half>(i, type),
            _ => throw i.Error($"is not known for {type}"),
        };
    }

    private static Operation Product(Instruction i)
    {
        if (i.Take("wide"))
            return Wide(i, false);
        if (i.Take("hi"))
            return High(i, false);
        i.Take("lo");
        return Number<MultiplyCase>(i);
    }

    private static Operation MultiplyAdd(Instruction i)
    {
        if (i.Take("wide"))
            return Wide(i, true);
        if (i.Take("hi"))
            return High(i, true);
        if (i.Take("lo"))
            return Number<MultiplyAddCase>(i);
        var type = i.TakeType();
        if (!type.IsFloat)
            throw i.Error("must have .lo, .hi or .wide");
        i.Take("rn");
        if (i.Take("ftz") && type == PtxType.F32)
            return Ternary<float, FlushedTernary<FusedSingle>>(i, type);
        return type.Size switch
        {
            4 => Ternary<float, FusedSingle>(i, type),
            8 => Ternary<double, FusedDouble>(i, type),
            _ when !type.BFloat => Ternary<Half, FusedHalf>(i, type),
            _ => throw i.Error($"is not known for {type}"),
        };
    }

    private static Operation Divide(Instruction i)
    {
        if (i.TakeAny("approx", "full", "rn") is null && i.Modifiers[^1][0] == 'f')
            throw i.Error("a quotient of floats must have .rn, .approx or .full");
        return Number<DivideCase>(i);
    }

    private static Operation Wide(Instruction i, bool added)
    {
        var type = i.TakeType();
        i.Finish(added ? 4 : 3);
        var wide = type with { Size = 2 * type.Size };
        var d = i.Destination(0, wide);
        Slot a = i.Source(1, type), b = i.Source(2, type);
        Slot? c = added ? i.Source(3, wide) : null;
        return (type.Class, type.Size) switch
        {
            (PtxTypeClass.Signed, 2) => new WideProduct<short, int>(d, a, b, c),
            (PtxTypeClass.Unsigned, 2) => new WideProduct<ushort, uint>(d, a, b, c),
            (PtxTypeClass.Signed, 4) => new WideProduct<int, long>(d, a, b, c),
            (PtxTypeClass.Unsigned, 4) => new WideProduct<uint, ulong>(d, a, b, c),
            _ => throw i.Error($"is not known for {type}"),
        };
    }

    private static Operation High(Instruction i, bool added)
    {
        var type = i.TakeType();
        return (type.Class, type.Size) switch
        {
            (PtxTypeClass.Signed, 4) => added ? Ternary<int, MultiplyHigh<int>>(i, type) : Binary<int, MultiplyHigh<int>>(i, type),
            (PtxTypeClass.Unsigned, 4) => added ? Ternary<uint, MultiplyHigh<uint>>(i, type) : Binary<uint, MultiplyHigh<uint>>(i, type),
            (PtxTypeClass.Signed, 8) => added ? Ternary<long, MultiplyHigh<long>>(i, type) : Binary<long, MultiplyHigh<long>>(i, type),
            (PtxTypeClass.Unsigned, 8) => added ? Ternary<ulong, MultiplyHighUInt64>(i, type) : Binary<ulong, MultiplyHighUInt64>(i, type),
            _ => throw i.Error($"is not known for {type}"),
        };
    }

    private static Operation Function(Instruction i)
    {
        var type = i.TakeType();
        if (i.TakeAny("approx", "rn") is not { } mode)
            throw i.Error("must have .approx or .rn");
        if (mode == "rn" && i.Name is not ("rcp" or "sqrt"))
            throw i.Error("has no .rn");
        var flush = i.Take("ftz");
        if (type == PtxType.F32)
        {
            return i.Name switch
            {
                "ex2" => Function<Exp2>(i, flush),
                "lg2" => Function<Log2>(i, flush),
                "rcp" => Function<Reciprocal>(i, flush),
                "rsqrt" => Function<ReciprocalSquareRoot>(i, flush),
                "sqrt" => Function<SquareRoot>(i, flush),
                "sin" => Function<Sine>(i, flush),
                "cos" => Function<Cosine>(i, flush),
                _ => Function<HyperbolicTangent>(i, flush),
            };
        }
        return (i.Name, type.Size) switch
        {
            ("rcp", 8) => Unary<double, ReciprocalDouble>(i, type),
            ("rsqrt", 8) => Unary<double, ReciprocalSquareRootDouble>(i, type),
            ("sqrt", 8) => Unary<double, SquareRootDouble>(i, type),
            _ => throw i.Error($"is not known for {type}"),
        };
    }

    private static Operation Function<TFunction>(Instruction i, bool flush) where TFunction : IUnary<float, float> =>
        flush ? Unary<float, FlushedUnary<TFunction>>(i, PtxType.F32) : Unary<float, TFunction>(i, PtxType.F32);

    private static Operation Unary<T, TFunction>(Instruction i, PtxType type) where T : unmanaged where TFunction : IUnary<T, T>
    {
        i.Finish(2);
        return new Unary<T, T, TFunction>(i.Destination(0, type), i.Source(1, type));
    }

    private static Operation Binary<T, TFunction>(Instruction i, PtxType type) where T : unmanaged where TFunction : IBinary<T>
    {
        i.Finish(3);
        return new Binary<T, TFunction>(i.Destination(0, type), i.Source(1, type), i.Source(2, type));
    }

    private static Operation Ternary<T, TFunction>(Instruction i, PtxType type) where T : unmanaged where TFunction : ITernary<T>
    {
        i.Finish(4);
        return new Ternary<T, TFunction>(i.Destination(0, type), i.Source(1, type), i.Source(2, type), i.Source(3, type));
    }
}
