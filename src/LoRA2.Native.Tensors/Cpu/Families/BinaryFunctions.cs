using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu.Families;

internal readonly struct FloorDivide<T> : IEachBinary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T a, T b)
    {
        // As C has it: from the remainder, so that the result is the floor of the exact quotient.
        if (b == T.Zero) return a / b;
        T mod = a % b;
        T quotient = (a - mod) / b;
        if (mod != T.Zero && (b < T.Zero) != (mod < T.Zero)) quotient -= T.One;
        if (quotient == T.Zero) return T.CopySign(T.Zero, a / b);
        T floor = T.Floor(quotient);
        return quotient - floor > T.CreateTruncating(0.5) ? floor + T.One : floor;
    }
}

internal readonly struct TruncateDivide<T> : IEachBinary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T a, T b) => T.Truncate(a / b);
}

internal readonly struct Remainder<T> : IEachBinary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T a, T b)
    {
        T mod = a % b;
        return mod != T.Zero && (b < T.Zero) != (mod < T.Zero) ? mod + b : mod;
    }
}

internal readonly struct FMod<T> : IEachBinary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T a, T b) => a % b;
}

internal readonly struct Power<T> : IEachBinary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T a, T b) => T.Pow(a, b);
}

internal readonly struct Atan2<T> : IEachBinary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T a, T b) => T.Atan2(a, b);
}

internal readonly struct Hypot<T> : IEachBinary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T a, T b) => T.Hypot(a, b);
}

internal readonly struct IntegerDivide<T> : IEachBinary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Invoke(T a, T b) => a / b;
}

internal readonly struct IntegerFMod<T> : IEachBinary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Invoke(T a, T b) => a % b;
}

internal readonly struct IntegerRemainder<T> : IEachBinary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Invoke(T a, T b)
    {
        T mod = a % b;
        return mod != T.Zero && T.IsNegative(b) != T.IsNegative(mod) ? mod + b : mod;
    }
}

internal readonly struct IntegerFloorDivide<T> : IEachBinary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Invoke(T a, T b)
    {
        (T quotient, T mod) = T.DivRem(a, b);
        return mod != T.Zero && T.IsNegative(b) != T.IsNegative(mod) ? quotient - T.One : quotient;
    }
}

internal readonly struct IntegerPower<T> : IEachBinary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Invoke(T a, T b)
    {
        if (T.IsNegative(b)) return a == T.One ? T.One : a == -T.One ? (T.IsEvenInteger(b) ? T.One : -T.One) : T.Zero;
        T power = T.One;
        for (; b > T.Zero; b >>= 1, a *= a)
        {
            if (T.IsOddInteger(b)) power *= a;
        }

        return power;
    }
}
