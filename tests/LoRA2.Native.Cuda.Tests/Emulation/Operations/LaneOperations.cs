using System.Numerics;
using System.Runtime.Intrinsics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary>A function of one value of a lane.</summary>
internal interface IUnary<T, TResult>
{
    static abstract TResult Apply(T a);
}

/// <summary>A function of two values of a lane, with a form over vectors of lanes where it pays.</summary>
internal interface IBinary<T>
{
    static virtual bool HasVector => false;

    static abstract T Apply(T a, T b);

    static virtual Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => default;
}

/// <summary>A function of three values of a lane.</summary>
internal interface ITernary<T>
{
    static virtual bool HasVector => false;

    static abstract T Apply(T a, T b, T c);

    static virtual Vector512<T> Apply(Vector512<T> a, Vector512<T> b, Vector512<T> c) => default;
}

/// <summary>A shift: the amount is 32 bits wide whatever the value's type.</summary>
internal interface IShift<T>
{
    static abstract T Apply(T a, uint amount);

    /// <summary>The same of many values, by less than their width.</summary>
    static abstract Vector512<T> Apply(Vector512<T> a, int amount);
}

internal sealed unsafe class Unary<T, TResult, TFunction>(Slot d, Slot a) : Operation
    where T : unmanaged where TResult : unmanaged where TFunction : IUnary<T, TResult>
{
    public override void Execute(Warp warp, uint mask)
    {
        var to = (TResult*)(warp.Registers + d.Offset);
        var x = (T*)(warp.Registers + a.Offset);
        if (mask == uint.MaxValue)
        {
            for (var i = 0; i < 32; i++)
                to[i] = TFunction.Apply(x[i]);
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var i = BitOperations.TrailingZeroCount(mask);
            to[i] = TFunction.Apply(x[i]);
        }
    }
}

internal sealed unsafe class Binary<T, TFunction>(Slot d, Slot a, Slot b) : Operation
    where T : unmanaged where TFunction : IBinary<T>
{
    public override void Execute(Warp warp, uint mask)
    {
        var to = (T*)(warp.Registers + d.Offset);
        var x = (T*)(warp.Registers + a.Offset);
        var y = (T*)(warp.Registers + b.Offset);
        if (mask == uint.MaxValue)
        {
            if (TFunction.HasVector)
            {
                for (var i = 0; i < 32; i += Vector512<T>.Count)
                    TFunction.Apply(Vector512.Load(x + i), Vector512.Load(y + i)).Store(to + i);
                return;
            }
            for (var i = 0; i < 32; i++)
                to[i] = TFunction.Apply(x[i], y[i]);
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var i = BitOperations.TrailingZeroCount(mask);
            to[i] = TFunction.Apply(x[i], y[i]);
        }
    }
}

internal sealed unsafe class Ternary<T, TFunction>(Slot d, Slot a, Slot b, Slot c) : Operation
    where T : unmanaged where TFunction : ITernary<T>
{
    public override void Execute(Warp warp, uint mask)
    {
        var to = (T*)(warp.Registers + d.Offset);
        var x = (T*)(warp.Registers + a.Offset);
        var y = (T*)(warp.Registers + b.Offset);
        var z = (T*)(warp.Registers + c.Offset);
        if (mask == uint.MaxValue)
        {
            if (TFunction.HasVector)
            {
                for (var i = 0; i < 32; i += Vector512<T>.Count)
                    TFunction.Apply(Vector512.Load(x + i), Vector512.Load(y + i), Vector512.Load(z + i)).Store(to + i);
                return;
            }
            for (var i = 0; i < 32; i++)
                to[i] = TFunction.Apply(x[i], y[i], z[i]);
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var i = BitOperations.TrailingZeroCount(mask);
            to[i] = TFunction.Apply(x[i], y[i], z[i]);
        }
    }
}

internal sealed unsafe class Shift<T, TFunction>(Slot d, Slot a, Slot amount) : Operation
    where T : unmanaged where TFunction : IShift<T>
{
    public override void Execute(Warp warp, uint mask)
    {
        var to = (T*)(warp.Registers + d.Offset);
        var x = (T*)(warp.Registers + a.Offset);
        var n = (uint*)(warp.Registers + amount.Offset);
        // Most are by a constant.
        var first = n[0];
        if (mask == uint.MaxValue && first < 8 * (uint)sizeof(T) && new ReadOnlySpan<uint>(n, 32).IndexOfAnyExcept(first) < 0)
        {
            for (var i = 0; i < 32; i += Vector512<T>.Count)
                TFunction.Apply(Vector512.Load(x + i), (int)first).Store(to + i);
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var i = BitOperations.TrailingZeroCount(mask);
            to[i] = TFunction.Apply(x[i], n[i]);
        }
    }
}

/// <summary>A product of two narrow values that is twice as wide, plus an addend: <c>mul.wide</c> and <c>mad.wide</c>.</summary>
internal sealed unsafe class WideProduct<T, TWide>(Slot d, Slot a, Slot b, Slot? c) : Operation
    where T : unmanaged, IBinaryInteger<T> where TWide : unmanaged, IBinaryInteger<TWide>
{
    public override void Execute(Warp warp, uint mask)
    {
        var to = (TWide*)(warp.Registers + d.Offset);
        var x = (T*)(warp.Registers + a.Offset);
        var y = (T*)(warp.Registers + b.Offset);
        var z = c is { } slot ? (TWide*)(warp.Registers + slot.Offset) : null;
        if (mask == uint.MaxValue && sizeof(T) == 4)
        {
            for (var i = 0; i < 32; i += 8)
            {
                var product = Widened(x + i) * Widened(y + i);
                (z is null ? product : product + Vector512.Load(z + i)).Store(to + i);
            }
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var i = BitOperations.TrailingZeroCount(mask);
            var product = TWide.CreateTruncating(x[i]) * TWide.CreateTruncating(y[i]);
            to[i] = z is null ? product : product + z[i];
        }
    }

    /// <summary>Eight numbers of 32 bits, twice as wide.</summary>
    private static Vector512<TWide> Widened(T* from) => typeof(T) == typeof(int)
        ? Vector512.WidenLower(Vector256.Load((int*)from).ToVector512Unsafe()).As<long, TWide>()
        : Vector512.WidenLower(Vector256.Load((uint*)from).ToVector512Unsafe()).As<ulong, TWide>();
}
