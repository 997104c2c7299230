using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

internal readonly struct And<T> : IBinary<T> where T : unmanaged, IBinaryInteger<T>
{
    public static bool HasVector => true;

    public static T Apply(T a, T b) => a & b;

    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => a & b;
}

internal readonly struct Or<T> : IBinary<T> where T : unmanaged, IBinaryInteger<T>
{
    public static bool HasVector => true;

    public static T Apply(T a, T b) => a | b;

    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => a | b;
}

internal readonly struct Xor<T> : IBinary<T> where T : unmanaged, IBinaryInteger<T>
{
    public static bool HasVector => true;

    public static T Apply(T a, T b) => a ^ b;

    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => a ^ b;
}

/// <summary>The second operand: <c>atom.exch</c>.</summary>
internal readonly struct Exchange<T> : IBinary<T> where T : unmanaged
{
    public static T Apply(T a, T b) => b;
}

internal readonly struct Not<T> : IUnary<T, T> where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T a) => ~a;
}

internal readonly struct PopulationCount<T> : IUnary<T, uint> where T : unmanaged, IBinaryInteger<T>
{
    public static uint Apply(T a) => uint.CreateTruncating(T.PopCount(a));
}

internal readonly struct LeadingZeros<T> : IUnary<T, uint> where T : unmanaged, IBinaryInteger<T>
{
    public static uint Apply(T a) => uint.CreateTruncating(T.LeadingZeroCount(a));
}

internal readonly struct Reverse<T> : IUnary<T, T> where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T a)
    {
        var result = T.Zero;
        var bits = int.CreateTruncating(T.PopCount(T.AllBitsSet));
        for (var i = 0; i < bits; i++)
            result = (result << 1) | ((a >> i) & T.One);
        return result;
    }
}

/// <summary>A shift to the left: by the width or more gives zero.</summary>
internal readonly struct ShiftLeft<T> : IShift<T> where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T a, uint amount) => amount >= uint.CreateTruncating(T.PopCount(T.AllBitsSet)) ? T.Zero : a << (int)amount;

    public static Vector512<T> Apply(Vector512<T> a, int amount) => a << amount;
}

/// <summary>A shift to the right, by the type's own sign: by the width or more gives the sign, or zero.</summary>
internal readonly struct ShiftRight<T> : IShift<T> where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T a, uint amount)
    {
        if (amount >= uint.CreateTruncating(T.PopCount(T.AllBitsSet)))
            return T.IsNegative(a) ? T.Zero - T.One : T.Zero;
        return a >> (int)amount;
    }

    public static Vector512<T> Apply(Vector512<T> a, int amount) => a >> amount;
}

/// <summary>A field of bits, with its sign where the type has one: <c>bfe</c>.</summary>
internal sealed unsafe class BitFieldExtract(bool signed, int width, Slot d, Slot a, Slot position, Slot length) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var from = warp.Registers + a.Offset + lane * width;
            var value = width == 8 ? *(ulong*)from : *(uint*)from;
            int p = (int)(((uint*)(warp.Registers + position.Offset))[lane] & 0xFF), n = (int)(((uint*)(warp.Registers + length.Offset))[lane] & 0xFF);
            int top = width * 8 - 1;
            var sign = signed && n > 0 && (value >> Math.Min(p + n - 1, top) & 1) != 0;
            var result = 0UL;
            for (var i = 0; i <= top; i++)
            {
                var bit = i < n && p + i <= top ? value >> (p + i) & 1 : sign ? 1UL : 0UL;
                result |= bit << i;
            }
            var to = warp.Registers + d.Offset + lane * width;
            if (width == 8)
                *(ulong*)to = result;
            else
                *(uint*)to = (uint)result;
        }
    }
}

/// <summary>Bits put into a field: <c>bfi.b32</c>.</summary>
internal sealed unsafe class BitFieldInsert(Slot d, Slot a, Slot b, Slot position, Slot length) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var p = (int)(((uint*)(warp.Registers + position.Offset))[lane] & 0xFF);
            var n = (int)(((uint*)(warp.Registers + length.Offset))[lane] & 0xFF);
            var field = p >= 32 ? 0 : (uint)(((1UL << Math.Min(n, 32)) - 1) << p);
            var value = p >= 32 ? 0 : ((uint*)(warp.Registers + a.Offset))[lane] << p;
            ((uint*)(warp.Registers + d.Offset))[lane] = (((uint*)(warp.Registers + b.Offset))[lane] & ~field) | (value & field);
        }
    }
}

/// <summary>Bytes chosen from two registers: <c>prmt.b32</c> in its default mode.</summary>
internal readonly struct Permute : ITernary<uint>
{
    public static uint Apply(uint a, uint b, uint c)
    {
        var bytes = a | (ulong)b << 32;
        var result = 0u;
        for (var i = 0; i < 4; i++)
        {
            var selector = c >> (4 * i) & 15;
            var chosen = (uint)(bytes >> (int)(8 * (selector & 7))) & 0xFF;
            if ((selector & 8) != 0)
                chosen = (chosen & 0x80) != 0 ? 0xFFu : 0;
            result |= chosen << (8 * i);
        }
        return result;
    }
}

/// <summary>Bits of two registers shifted as one: <c>shf</c>, the amount taken modulo 32 or held at 32.</summary>
internal readonly struct FunnelLeftWrap : ITernary<uint>
{
    public static uint Apply(uint a, uint b, uint c) => (uint)((a | (ulong)b << 32) << (int)(c & 31) >> 32);
}

internal readonly struct FunnelRightWrap : ITernary<uint>
{
    public static uint Apply(uint a, uint b, uint c) => (uint)((a | (ulong)b << 32) >> (int)(c & 31));
}

internal readonly struct FunnelLeftClamp : ITernary<uint>
{
    public static uint Apply(uint a, uint b, uint c) => c >= 32 ? a : FunnelLeftWrap.Apply(a, b, c);
}

internal readonly struct FunnelRightClamp : ITernary<uint>
{
    public static uint Apply(uint a, uint b, uint c) => c >= 32 ? b : FunnelRightWrap.Apply(a, b, c);
}

/// <summary>Any function of three bits, named by its table: <c>lop3.b32</c>.</summary>
internal sealed unsafe class ThreeInputLogic(Slot d, Slot a, Slot b, Slot c, int table) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            uint x = ((uint*)(warp.Registers + a.Offset))[lane], y = ((uint*)(warp.Registers + b.Offset))[lane], z = ((uint*)(warp.Registers + c.Offset))[lane];
            var result = 0u;
            for (var i = 0; i < 8; i++)
            {
                if ((table >> i & 1) != 0)
                    result |= ((i & 4) != 0 ? x : ~x) & ((i & 2) != 0 ? y : ~y) & ((i & 1) != 0 ? z : ~z);
            }
            ((uint*)(warp.Registers + d.Offset))[lane] = result;
        }
    }
}
