using System.Numerics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary>How a number is rounded.</summary>
internal enum Rounding
{
    None,
    Nearest,
    Zero,
    Down,
    Up,
}

/// <summary><c>cvt</c> between numbers; the registers may be wider than the types.</summary>
internal sealed unsafe class Convert<TFrom, TTo, TConversion>(Slot d, Slot a, Rounding rounding, bool saturate) : Operation
    where TFrom : unmanaged where TTo : unmanaged, INumber<TTo> where TConversion : IConversion<TFrom, TTo>
{
    public override void Execute(Warp warp, uint mask)
    {
        var from = warp.Registers + a.Offset;
        var to = warp.Registers + d.Offset;
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var value = TConversion.Apply(*(TFrom*)(from + lane * a.Width), rounding, saturate);
            if (d.Width == sizeof(TTo))
            {
                *(TTo*)(to + lane * d.Width) = value;
                continue;
            }
            // Only whole numbers are narrower than their register: the sign, or zeros, fill it.
            var wide = long.CreateTruncating(value);
            new ReadOnlySpan<byte>(&wide, d.Width).CopyTo(new Span<byte>(to + lane * d.Width, d.Width));
        }
    }
}

/// <summary>A conversion of one number.</summary>
internal interface IConversion<TFrom, TTo>
{
    static abstract TTo Apply(TFrom value, Rounding rounding, bool saturate);
}

/// <summary>Between whole numbers: the upper bits are dropped, or with .sat the value is held in range.</summary>
internal readonly struct IntegerToInteger<TFrom, TTo> : IConversion<TFrom, TTo>
    where TFrom : unmanaged, IBinaryInteger<TFrom> where TTo : unmanaged, IBinaryInteger<TTo>
{
    public static TTo Apply(TFrom value, Rounding rounding, bool saturate) =>
        saturate ? TTo.CreateSaturating(value) : TTo.CreateTruncating(value);
}

internal readonly struct IntegerToFloat<TFrom, TTo> : IConversion<TFrom, TTo>
    where TFrom : unmanaged, IBinaryInteger<TFrom> where TTo : unmanaged, INumber<TTo>
{
    public static TTo Apply(TFrom value, Rounding rounding, bool saturate) => TTo.CreateSaturating(value);
}

/// <summary>To a whole number: held in range, and 0 of a NaN.</summary>
internal readonly struct FloatToInteger<TFrom, TTo> : IConversion<TFrom, TTo>
    where TFrom : unmanaged, INumber<TFrom> where TTo : unmanaged, IBinaryInteger<TTo>
{
    public static TTo Apply(TFrom value, Rounding rounding, bool saturate)
    {
        var number = double.CreateSaturating(value);
        return double.IsNaN(number) ? TTo.Zero : TTo.CreateSaturating(FloatRounding.ToWhole(number, rounding));
    }
}

/// <summary>Between floats: of one type the rounding is to a whole number; to a narrower one it is to nearest even.</summary>
internal readonly struct FloatToFloat<TFrom, TTo> : IConversion<TFrom, TTo>
    where TFrom : unmanaged, INumber<TFrom> where TTo : unmanaged, INumber<TTo>
{
    public static TTo Apply(TFrom value, Rounding rounding, bool saturate)
    {
        if (typeof(TFrom) == typeof(TTo) && rounding != Rounding.None)
            value = TFrom.CreateSaturating(FloatRounding.ToWhole(double.CreateSaturating(value), rounding));
        if (saturate)
            value = value > TFrom.Zero ? TFrom.Min(value, TFrom.One) : TFrom.Zero;
        return TTo.CreateSaturating(value);
    }
}

internal static class FloatRounding
{
    public static double ToWhole(double value, Rounding rounding) => rounding switch
    {
        Rounding.Nearest => Math.Round(value, MidpointRounding.ToEven),
        Rounding.Zero => Math.Truncate(value),
        Rounding.Down => Math.Floor(value),
        Rounding.Up => Math.Ceiling(value),
        _ => value,
    };

    /// <summary>The upper 16 bits of a float32, rounded to nearest even or toward zero; NaN becomes 0x7FFF.</summary>
    public static uint ToBFloat16(float value, Rounding rounding)
    {
        if (float.IsNaN(value))
            return 0x7FFF;
        var bits = BitConverter.SingleToUInt32Bits(value);
        return rounding == Rounding.Zero ? bits >> 16 : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    }
}

internal readonly struct ToBFloat16Nearest : IUnary<float, ushort>
{
    public static ushort Apply(float a) => (ushort)FloatRounding.ToBFloat16(a, Rounding.Nearest);
}

internal readonly struct ToBFloat16TowardZero : IUnary<float, ushort>
{
    public static ushort Apply(float a) => (ushort)FloatRounding.ToBFloat16(a, Rounding.Zero);
}

/// <summary>Two float32 rounded to bfloat16 and packed, the first operand above: <c>cvt.rn.bf16x2.f32</c>.</summary>
internal sealed unsafe class PackBFloat16(Slot d, Slot high, Slot low, Rounding rounding) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var upper = FloatRounding.ToBFloat16(((float*)(warp.Registers + high.Offset))[lane], rounding);
            var lower = FloatRounding.ToBFloat16(((float*)(warp.Registers + low.Offset))[lane], rounding);
            ((uint*)(warp.Registers + d.Offset))[lane] = upper << 16 | lower;
        }
    }
}

/// <summary>Two float32 rounded to float16 and packed, the first operand above: <c>cvt.rn.f16x2.f32</c>.</summary>
internal sealed unsafe class PackFloat16(Slot d, Slot high, Slot low) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            uint upper = BitConverter.HalfToUInt16Bits((Half)((float*)(warp.Registers + high.Offset))[lane]);
            uint lower = BitConverter.HalfToUInt16Bits((Half)((float*)(warp.Registers + low.Offset))[lane]);
            ((uint*)(warp.Registers + d.Offset))[lane] = upper << 16 | lower;
        }
    }
}

/// <summary>Rounded to the 10 bits of mantissa of tf32, halves away from zero: <c>cvt.rna.tf32.f32</c>.</summary>
internal readonly struct ToTensorFloat32 : IUnary<float, uint>
{
    public static uint Apply(float a)
    {
        var bits = BitConverter.SingleToUInt32Bits(a);
        return float.IsFinite(a) ? (bits + 0x1000) & 0xFFFFE000 : bits;
    }
}
