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
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var address = Address(warp, lane);
            var wanted = sourceBytes is { } slot ? ((uint*)(warp.Registers + slot.Offset))[lane] : (uint)Bytes;
            if (wanted > Bytes)
                throw warp.Fault(this, lane, $"has a source size of {wanted} bytes, more than the {Bytes} it copies");
            UInt128 data = 0;
            if (wanted == Bytes)
            {
                var from = Locate(warp, lane, address, MemoryUse.Read);
                new ReadOnlySpan<byte>(from, Bytes).CopyTo(new Span<byte>(&data, Bytes));
            }
            else
            {
                if ((address & (ulong)(Bytes - 1)) != 0)
                    throw warp.Fault(this, lane, $"reads at 0x{address:x}, which is not a multiple of {Bytes}");
                if (wanted > 0)
                {
                    if (!warp.Block.Memory.TryFind(address, (int)wanted, out _))
                        throw warp.Fault(this, lane, $"reads {wanted} bytes at 0x{address:x}, outside every live allocation ({warp.Block.Memory.Describe(address)})");
                    new ReadOnlySpan<byte>((byte*)address, (int)wanted).CopyTo(new Span<byte>(&data, Bytes));
                }
            }
            var to = warp.Registers + shared.Address.Offset;
            var destination = (shared.Address.Width == 8 ? ((ulong*)to)[lane] : ((uint*)to)[lane]) + (ulong)shared.Offset;
            var offset = warp.Block.Shared.BeginCopy(warp, this, lane, destination, Bytes);
            warp.Copies.Add(lane, offset, Bytes, data);
        }
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
