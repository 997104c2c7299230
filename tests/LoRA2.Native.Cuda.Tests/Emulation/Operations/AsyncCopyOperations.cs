using System.Numerics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary>
/// <c>cp.async</c>: starts a copy from global to shared memory. The bytes arrive when the lane waits for them; until then
/// touching the destination is an error. Bytes past the source size are zeros, and are not read.
/// </summary>
internal sealed unsafe class AsyncCopy(MemoryTarget shared, MemoryTarget global, int bytes, Slot? sourceBytes) : MemoryAccess(global, bytes)
{
    public override void Execute(Warp warp, uint mask)
    {
        var sizes = sourceBytes is { } slot ? (uint*)(warp.Registers + slot.Offset) : null;
        var pointers = stackalloc byte*[32];
        var data = stackalloc UInt128[32];
        new Span<UInt128>(data, 32).Clear();
        uint whole = 0;
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            if (sizes is null || sizes[lane] == Bytes)
                whole |= 1u << lane;
            else
                ReadPart(warp, lane, sizes[lane], data + lane);
        }
        Locate(warp, whole, MemoryUse.Read, pointers);
        for (; whole != 0; whole &= whole - 1)
        {
            var lane = BitOperations.TrailingZeroCount(whole);
            Buffer.MemoryCopy(pointers[lane], data + lane, 16, Bytes);
        }
        var to = warp.Registers + shared.Address.Offset;
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var destination = (shared.Address.Width == 8 ? ((ulong*)to)[lane] : ((uint*)to)[lane]) + (ulong)shared.Offset;
            warp.Copies.Add(lane, warp.Block.Shared.BeginCopy(warp, this, lane, destination, Bytes), Bytes, data[lane]);
        }
    }

    private void ReadPart(Warp warp, int lane, uint size, UInt128* data)
    {
        var address = Address(warp, lane);
        if (size > Bytes)
            throw warp.Fault(this, lane, $"has a source size of {size} bytes, more than the {Bytes} it copies");
        if ((address & (ulong)(Bytes - 1)) != 0)
            throw warp.Fault(this, lane, $"reads at 0x{address:x}, which is not a multiple of {Bytes}");
        if (size == 0)
            return;
        if (!warp.Block.Memory.TryFind(address, size, out _))
            throw warp.Fault(this, lane, $"reads {size} bytes at 0x{address:x}, outside every live allocation ({warp.Block.Memory.Describe(address)})");
        Buffer.MemoryCopy((void*)address, data, 16, size);
    }
}

/// <summary><c>cp.async.commit_group</c>.</summary>
internal sealed class CommitGroup : Operation
{
    public override void Execute(Warp warp, uint mask) => warp.Copies.Commit(mask);
}

/// <summary><c>cp.async.wait_group n</c>; <c>cp.async.wait_all</c> where n is null.</summary>
internal sealed class WaitGroup(int? groups) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        if (groups is { } n)
            warp.Copies.Wait(warp, mask, n);
        else
            warp.Copies.CompleteAll(warp, mask);
    }
}
