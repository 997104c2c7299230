using System.Numerics;
using System.Runtime.Intrinsics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary>A comparison of two values, with a form over vectors where there is one.</summary>
internal interface IComparison<T>
{
    static virtual bool HasVector => false;

    static abstract bool Apply(T a, T b);

    static virtual Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => default;
}

internal readonly struct Equal<T> : IComparison<T> where T : unmanaged, INumber<T>
{
    public static bool HasVector => Vector512<T>.IsSupported;

    public static bool Apply(T a, T b) => a == b;

    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.Equals(a, b);
}

internal readonly struct Less<T> : IComparison<T> where T : unmanaged, INumber<T>
{
    public static bool HasVector => Vector512<T>.IsSupported;

    public static bool Apply(T a, T b) => a < b;

    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.LessThan(a, b);
}

internal readonly struct LessOrEqual<T> : IComparison<T> where T : unmanaged, INumber<T>
{
    public static bool HasVector => Vector512<T>.IsSupported;

    public static bool Apply(T a, T b) => a <= b;

    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.LessThanOrEqual(a, b);
}

/// <summary>Neither is NaN.</summary>
internal readonly struct Ordered<T> : IComparison<T> where T : unmanaged, INumber<T>
{
    public static bool Apply(T a, T b) => !T.IsNaN(a) && !T.IsNaN(b);
}

/// <summary>Equal, or one is NaN.</summary>
internal readonly struct EqualOrUnordered<T> : IComparison<T> where T : unmanaged, INumber<T>
{
    public static bool Apply(T a, T b) => a == b || T.IsNaN(a) || T.IsNaN(b);
}

/// <summary>How a comparison is joined with a third predicate.</summary>
internal enum PredicateJoin
{
    None,
    And,
    Or,
    Xor,
}

/// <summary>
/// <c>setp</c>. The operators not written as an <see cref="IComparison{T}"/> are these with the operands changed over
/// (<c>gt</c>), or negated (<c>geu</c> is not <c>lt</c>), or with NaN excluded (<c>ne</c> of floats).
/// </summary>
internal sealed unsafe class Compare<T, TComparison>(int d, int? second, Slot a, Slot b, bool negate, bool ordered, PredicateJoin join, PredicateSlot third) : Operation
    where T : unmanaged, INumber<T> where TComparison : IComparison<T>
{
    public override void Execute(Warp warp, uint mask)
    {
        var x = (T*)(warp.Registers + a.Offset);
        var y = (T*)(warp.Registers + b.Offset);
        uint result = 0;
        if (TComparison.HasVector && Vector512.IsHardwareAccelerated)
        {
            for (var i = 0; i < 32; i += Vector512<T>.Count)
                result |= (uint)TComparison.Apply(Vector512.Load(x + i), Vector512.Load(y + i)).ExtractMostSignificantBits() << i;
        }
        else
        {
            for (var i = 0; i < 32; i++)
                result |= TComparison.Apply(x[i], y[i]) ? 1u << i : 0;
        }
        if (negate)
            result = ~result;
        if (ordered)
        {
            for (var i = 0; i < 32; i++)
                result &= Ordered<T>.Apply(x[i], y[i]) ? uint.MaxValue : ~(1u << i);
        }
        var p = warp.Predicates;
        var other = third.Read(warp);
        if (second is { } q)
            p[q] = (p[q] & ~mask) | (Join(~result, other) & mask);
        p[d] = (p[d] & ~mask) | (Join(result, other) & mask);
    }

    private uint Join(uint a, uint b) => join switch { PredicateJoin.And => a & b, PredicateJoin.Or => a | b, PredicateJoin.Xor => a ^ b, _ => a };
}

/// <summary><c>and.pred</c>, <c>or.pred</c>, <c>xor.pred</c>, and with one operand twice <c>not.pred</c> and <c>mov.pred</c>.</summary>
internal sealed unsafe class PredicateLogic(PredicateJoin join, int d, PredicateSlot a, PredicateSlot b) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        uint x = a.Read(warp), y = b.Read(warp);
        var result = join switch { PredicateJoin.And => x & y, PredicateJoin.Or => x | y, PredicateJoin.Xor => x ^ y, _ => x };
        warp.Predicates[d] = (warp.Predicates[d] & ~mask) | (result & mask);
    }
}

/// <summary><c>selp</c>.</summary>
internal sealed unsafe class Select<T>(Slot d, Slot a, Slot b, PredicateSlot predicate) : Operation where T : unmanaged
{
    public override void Execute(Warp warp, uint mask)
    {
        var to = (T*)(warp.Registers + d.Offset);
        var x = (T*)(warp.Registers + a.Offset);
        var y = (T*)(warp.Registers + b.Offset);
        var choice = predicate.Read(warp);
        for (; mask != 0; mask &= mask - 1)
        {
            var i = BitOperations.TrailingZeroCount(mask);
            to[i] = (choice >> i & 1) != 0 ? x[i] : y[i];
        }
    }
}

/// <summary>The classes of <c>testp</c>.</summary>
internal enum FloatTest
{
    Finite,
    Infinite,
    Number,
    NotANumber,
    Normal,
    Subnormal,
}

/// <summary><c>testp</c>.</summary>
internal sealed unsafe class TestFloat<T>(FloatTest test, int d, Slot a) : Operation where T : unmanaged, INumber<T>
{
    public override void Execute(Warp warp, uint mask)
    {
        var x = (T*)(warp.Registers + a.Offset);
        uint result = 0;
        for (var i = 0; i < 32; i++)
        {
            var holds = test switch
            {
                FloatTest.Finite => T.IsFinite(x[i]),
                FloatTest.Infinite => T.IsInfinity(x[i]),
                FloatTest.Number => !T.IsNaN(x[i]),
                FloatTest.NotANumber => T.IsNaN(x[i]),
                FloatTest.Normal => T.IsNormal(x[i]),
                _ => T.IsSubnormal(x[i]),
            };
            result |= holds ? 1u << i : 0;
        }
        warp.Predicates[d] = (warp.Predicates[d] & ~mask) | (result & mask);
    }
}
