using System.Numerics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary><c>st</c> of one, two or four elements; a register may be wider than what is stored of it.</summary>
internal sealed unsafe class Store<T>(MemoryTarget target, Slot[] from) : MemoryAccess(target, sizeof(T) * from.Length)
    where T : unmanaged
{
    public override void Execute(Warp warp, uint mask)
    {
        var pointers = stackalloc byte*[32];
        Locate(warp, mask, MemoryUse.Write, pointers);
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var to = (T*)pointers[lane];
            for (var e = 0; e < from.Length; e++)
                to[e] = *(T*)(warp.Registers + from[e].Offset + (lane * from[e].Width));
        }
    }
}

/// <summary>Moves an address between the generic space and shared or local memory: <c>cvta</c>, <c>cvta.to</c>.</summary>
internal sealed unsafe class ConvertAddress(Slot d, Slot a, ulong added) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        var to = (ulong*)(warp.Registers + d.Offset);
        var from = (ulong*)(warp.Registers + a.Offset);
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            to[lane] = from[lane] + added;
        }
    }
}
