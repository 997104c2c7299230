using System.Numerics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary><c>st</c> of one, two or four elements; a register may be wider than what is stored of it.</summary>
internal sealed unsafe class Store<T>(MemoryTarget target, Slot[] from) : MemoryAccess(target, sizeof(T) * from.Length)
    where T : unmanaged
{
    public override void Execute(Warp warp, uint mask)
    {
        if (from.Length == 1 && from[0].Width == sizeof(T) && IsGlobal && Target.Address.Width == 8)
        {
            ExecuteGlobal(warp, mask);
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var to = (T*)Locate(warp, lane, Address(warp, lane), MemoryUse.Write);
            for (var e = 0; e < from.Length; e++)
                to[e] = *(T*)(warp.Registers + from[e].Offset + lane * from[e].Width);
        }
    }

    private void ExecuteGlobal(Warp warp, uint mask)
    {
        var addresses = (ulong*)(warp.Registers + Target.Address.Offset);
        var values = (T*)(warp.Registers + from[0].Offset);
        var offset = (ulong)Target.Offset;
        var range = warp.Ranges[Target.Range];
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var address = addresses[lane] + offset;
            if (!range.Contains(address) || (address & (ulong)(sizeof(T) - 1)) != 0)
            {
                Locate(warp, lane, address, MemoryUse.Write);
                range = warp.Ranges[Target.Range];
            }
            *(T*)address = values[lane];
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
