using System.Numerics;
using System.Runtime.Intrinsics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary>A register's bits to another: <c>mov</c>.</summary>
internal sealed unsafe class Move<T>(Slot d, Slot a) : Operation
    where T : unmanaged
{
    public override void Execute(Warp warp, uint mask)
    {
        var to = (T*)(warp.Registers + d.Offset);
        var from = (T*)(warp.Registers + a.Offset);
        if (mask == uint.MaxValue)
        {
            for (var i = 0; i < 32; i += Vector512<T>.Count)
                Vector512.Load(from + i).Store(to + i);
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var i = BitOperations.TrailingZeroCount(mask);
            to[i] = from[i];
        }
    }
}

/// <summary>Narrow registers joined into a wide one, the first lowest: <c>mov.b64 d, {a, b}</c>.</summary>
internal sealed unsafe class Pack(Slot d, Slot[] parts) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            ulong value = 0;
            for (var i = parts.Length - 1; i >= 0; i--)
            {
                var from = warp.Registers + parts[i].Offset + lane * parts[i].Width;
                value = value << (8 * parts[i].Width) | (parts[i].Width == 4 ? *(uint*)from : *(ushort*)from);
            }
            var to = warp.Registers + d.Offset + lane * d.Width;
            if (d.Width == 8)
                *(ulong*)to = value;
            else
                *(uint*)to = (uint)value;
        }
    }
}

/// <summary>A wide register taken apart: <c>mov.b64 {a, b}, d</c>.</summary>
internal sealed unsafe class Unpack(Slot?[] parts, int width, Slot a) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var from = warp.Registers + a.Offset + lane * a.Width;
            var value = a.Width == 8 ? *(ulong*)from : *(uint*)from;
            foreach (var part in parts)
            {
                if (part is { } slot)
                {
                    var to = warp.Registers + slot.Offset + lane * width;
                    if (width == 4)
                        *(uint*)to = (uint)value;
                    else
                        *(ushort*)to = (ushort)value;
                }
                value >>= 8 * width;
            }
        }
    }
}
