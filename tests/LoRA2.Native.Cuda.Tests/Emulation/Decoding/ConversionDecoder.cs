using System.Numerics;
using LoRA2.Native.Cuda.Tests.Emulation.Operations;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>Decodes <c>cvt</c>.</summary>
internal static class ConversionDecoder
{
    public static Operation? Decode(Instruction i) => i.Name == "cvt" ? Convert(i) : null;

    private static Operation Convert(Instruction i)
    {
        var from = i.TakeType();
        if (i.Take("tf32"))
            return ToTensorFloat32(i, from);
        var packed = i.TakeAny("bf16x2", "f16x2");
        if (packed is not null)
            return Pack(i, packed, from);
        var to = i.TakeType();
        if (to.BFloat)
            return ToBFloat16(i, from, to);
        if (from.BFloat)
            throw i.Error("converting from bf16 needs sm_90; shift the bits into the upper half of an .f32");
        var saturate = i.Take("sat");
        i.Take("ftz");
        var mode = i.TakeAny("rni", "rzi", "rmi", "rpi", "rn", "rz", "rm", "rp");
        i.Finish(2);
        var needsWhole = from.IsFloat && (to.IsInteger || (to == from && mode is not null));
        var needsFloat = to.IsFloat && (from.IsInteger || from.Size > to.Size);
        if (needsWhole != (mode?.Length == 3) || needsFloat != (mode?.Length == 2))
            throw i.Error(needsWhole ? "must have .rni, .rzi, .rmi or .rpi" : needsFloat ? "must have .rn" : "has a rounding that does not belong here");
        if (needsFloat && mode != "rn")
            throw i.Error($"the rounding .{mode} is not supported");
        var rounding = mode switch { "rni" => Rounding.Nearest, "rzi" => Rounding.Zero, "rmi" => Rounding.Down, "rpi" => Rounding.Up, _ => Rounding.None };
        return From(i, from, to, rounding, saturate);
    }

    private static Operation From(Instruction i, PtxType from, PtxType to, Rounding rounding, bool saturate) => (from.Class, from.Size) switch
    {
        (PtxTypeClass.Signed, 1) => To<sbyte>(i, from, to, rounding, saturate),
        (PtxTypeClass.Signed, 2) => To<short>(i, from, to, rounding, saturate),
        (PtxTypeClass.Signed, 4) => To<int>(i, from, to, rounding, saturate),
        (PtxTypeClass.Signed, 8) => To<long>(i, from, to, rounding, saturate),
        (PtxTypeClass.Unsigned, 1) => To<byte>(i, from, to, rounding, saturate),
        (PtxTypeClass.Unsigned, 2) => To<ushort>(i, from, to, rounding, saturate),
        (PtxTypeClass.Unsigned, 4) => To<uint>(i, from, to, rounding, saturate),
        (PtxTypeClass.Unsigned, 8) => To<ulong>(i, from, to, rounding, saturate),
        (PtxTypeClass.Float, 2) => ToFromFloat<Half>(i, from, to, rounding, saturate),
        (PtxTypeClass.Float, 4) => ToFromFloat<float>(i, from, to, rounding, saturate),
        (PtxTypeClass.Float, 8) => ToFromFloat<double>(i, from, to, rounding, saturate),
        _ => throw i.Error($"cannot convert from {from}"),
    };

    private static Operation To<T>(Instruction i, PtxType from, PtxType to, Rounding rounding, bool saturate) where T : unmanaged, IBinaryInteger<T> =>
        (to.Class, to.Size) switch
        {
            (PtxTypeClass.Signed, 1) => Make<T, sbyte, IntegerToInteger<T, sbyte>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Signed, 2) => Make<T, short, IntegerToInteger<T, short>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Signed, 4) => Make<T, int, IntegerToInteger<T, int>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Signed, 8) => Make<T, long, IntegerToInteger<T, long>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Unsigned, 1) => Make<T, byte, IntegerToInteger<T, byte>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Unsigned, 2) => Make<T, ushort, IntegerToInteger<T, ushort>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Unsigned, 4) => Make<T, uint, IntegerToInteger<T, uint>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Unsigned, 8) => Make<T, ulong, IntegerToInteger<T, ulong>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Float, 2) => Make<T, Half, IntegerToFloat<T, Half>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Float, 4) => Make<T, float, IntegerToFloat<T, float>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Float, 8) => Make<T, double, IntegerToFloat<T, double>>(i, from, to, rounding, saturate),
            _ => throw i.Error($"cannot convert to {to}"),
        };

    private static Operation ToFromFloat<T>(Instruction i, PtxType from, PtxType to, Rounding rounding, bool saturate) where T : unmanaged, INumber<T> =>
        (to.Class, to.Size) switch
        {
            (PtxTypeClass.Signed, 1) => Make<T, sbyte, FloatToInteger<T, sbyte>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Signed, 2) => Make<T, short, FloatToInteger<T, short>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Signed, 4) => Make<T, int, FloatToInteger<T, int>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Signed, 8) => Make<T, long, FloatToInteger<T, long>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Unsigned, 1) => Make<T, byte, FloatToInteger<T, byte>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Unsigned, 2) => Make<T, ushort, FloatToInteger<T, ushort>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Unsigned, 4) => Make<T, uint, FloatToInteger<T, uint>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Unsigned, 8) => Make<T, ulong, FloatToInteger<T, ulong>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Float, 2) => Make<T, Half, FloatToFloat<T, Half>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Float, 4) => Make<T, float, FloatToFloat<T, float>>(i, from, to, rounding, saturate),
            (PtxTypeClass.Float, 8) => Make<T, double, FloatToFloat<T, double>>(i, from, to, rounding, saturate),
            _ => throw i.Error($"cannot convert to {to}"),
        };

    private static Convert<TFrom, TTo, TConversion> Make<TFrom, TTo, TConversion>(Instruction i, PtxType from, PtxType to, Rounding rounding, bool saturate)
        where TFrom : unmanaged where TTo : unmanaged, INumber<TTo> where TConversion : IConversion<TFrom, TTo>
    {
        if (i[0].Kind != PtxOperandKind.Register)
            throw i.Error($"'{i[0].Text}' must be a register");
        return new Convert<TFrom, TTo, TConversion>(i.WideDestination(i[0], to), i.Wide(i[1], from), rounding, saturate);
    }

    private static Unary<float, uint, ToTensorFloat32> ToTensorFloat32(Instruction i, PtxType from)
    {
        if (!i.Take("rna") || from != PtxType.F32)
            throw i.Error("must be cvt.rna.tf32.f32");
        i.Finish(2);
        return new Unary<float, uint, ToTensorFloat32>(i.Destination(0, PtxType.B32), i.Source(1, PtxType.F32));
    }

    private static Operation Pack(Instruction i, string packed, PtxType from)
    {
        var rounding = i.Take("rn") ? Rounding.Nearest : i.Take("rz") ? Rounding.Zero : throw i.Error("must have .rn or .rz");
        i.Finish(3);
        if (from != PtxType.F32)
            throw i.Error("must convert from .f32");
        Slot d = i.Destination(0, PtxType.B32), high = i.Source(1, PtxType.F32), low = i.Source(2, PtxType.F32);
        if (packed == "bf16x2")
            return new PackBFloat16(d, high, low, rounding);
        return rounding == Rounding.Nearest ? new PackFloat16(d, high, low) : throw i.Error(".rz is not supported");
    }

    private static Operation ToBFloat16(Instruction i, PtxType from, PtxType to)
    {
        var rounding = i.Take("rn") ? Rounding.Nearest : i.Take("rz") ? Rounding.Zero : throw i.Error("must have .rn or .rz");
        i.Finish(2);
        if (from != PtxType.F32)
            throw i.Error("must convert from .f32");
        Slot d = i.Destination(0, PtxType.B16), a = i.Source(1, from);
        return rounding == Rounding.Zero ? new Unary<float, ushort, ToBFloat16TowardZero>(d, a) : new Unary<float, ushort, ToBFloat16Nearest>(d, a);
    }
}
