using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu.Families;

internal readonly struct Equal<T> : IEachBinary<T, bool>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a == b;
}

internal readonly struct NotEqual<T> : IEachBinary<T, bool>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a != b;
}

internal readonly struct Less<T> : IEachBinary<T, bool>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a < b;
}

internal readonly struct LessOrEqual<T> : IEachBinary<T, bool>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a <= b;
}

internal readonly struct Greater<T> : IEachBinary<T, bool>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a > b;
}

internal readonly struct GreaterOrEqual<T> : IEachBinary<T, bool>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a >= b;
}

internal readonly struct LogicalAnd<T> : IEachBinary<T, bool>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a != T.Zero && b != T.Zero;
}

internal readonly struct LogicalOr<T> : IEachBinary<T, bool>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => a != T.Zero || b != T.Zero;
}

internal readonly struct LogicalXor<T> : IEachBinary<T, bool>
    where T : unmanaged, INumber<T>
{
    public static bool Invoke(T a, T b) => (a != T.Zero) != (b != T.Zero);
}
