using System.Numerics;
using System.Runtime.Intrinsics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary>Where an instruction touches memory: its space, the register and the constant that make the address.</summary>
internal sealed record MemoryTarget(PtxSpace Space, Slot Address, long Offset, int Range);

/// <summary>What an access does, for the checks.</summary>
internal enum MemoryUse
{
    Read,
    Write,
    Atomic,
}

/// <summary>An operation that touches memory.</summary>
internal abstract unsafe class MemoryAccess(MemoryTarget target, int bytes) : Operation
{
    /// <summary>Generic addresses of shared and of local memory start here; others are global.</summary>
    public const ulong SharedWindow = 0x0100_0000_0000_0000;
    public const ulong LocalWindow = 0x0200_0000_0000_0000;

    /// <summary>Bytes a lane touches.</summary>
    protected int Bytes => bytes;

    /// <summary>The address that a lane's registers say.</summary>
    protected ulong Address(Warp warp, int lane)
    {
        var slot = target.Address;
        var from = warp.Registers + slot.Offset;
        return (slot.Width == 8 ? ((ulong*)from)[lane] : ((uint*)from)[lane]) + (ulong)target.Offset;
    }

    /// <summary>Checks what the lanes of <paramref name="mask"/> touch, and writes pointers to it, one for each of 32 lanes.</summary>
    protected void Locate(Warp warp, uint mask, MemoryUse use, byte** pointers)
    {
        // A global address is a pointer, so addresses and pointers share their place.
        var addresses = (ulong*)pointers;
        var slot = target.Address;
        var from = warp.Registers + slot.Offset;
        var offset = Vector512.Create((ulong)target.Offset);
        for (var lane = 0; lane < 32; lane += 8)
        {
            var address = slot.Width == 8 ? Vector512.Load((ulong*)from + lane) : Vector512.WidenLower(Vector256.Load((uint*)from + lane).ToVector512());
            (address + offset).Store(addresses + lane);
        }
        switch (target.Space)
        {
            case PtxSpace.Global or PtxSpace.Constant:
                LocateGlobal(warp, mask, use, addresses);
                break;
            case PtxSpace.Shared:
                warp.Block.Shared.Locate(warp, this, mask, use, bytes, pointers);
                break;
            case PtxSpace.Local:
                LocateLocal(warp, mask, pointers);
                break;
            default:
                LocateGeneric(warp, mask, use, pointers);
                break;
        }
    }

    private void LocateGeneric(Warp warp, uint mask, MemoryUse use, byte** pointers)
    {
        var addresses = (ulong*)pointers;
        uint shared = 0, local = 0;
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            if (addresses[lane] >= LocalWindow)
            {
                local |= 1u << lane;
                addresses[lane] -= LocalWindow;
            }
            else if (addresses[lane] >= SharedWindow)
            {
                shared |= 1u << lane;
                addresses[lane] -= SharedWindow;
            }
        }
        LocateGlobal(warp, mask & ~shared & ~local, use, addresses);
        LocateLocal(warp, local, pointers);
        warp.Block.Shared.Locate(warp, this, shared, use, bytes, pointers);
    }

    private void LocateGlobal(Warp warp, uint mask, MemoryUse use, ulong* addresses)
    {
        var range = warp.Ranges[target.Range];
        var odd = (ulong)bytes - 1;
        if (mask == uint.MaxValue && range.IsSet)
        {
            var wrong = Vector512<ulong>.Zero;
            for (var lane = 0; lane < 32; lane += 8)
            {
                var address = Vector512.Load(addresses + lane);
                wrong |= Vector512.GreaterThan(address - Vector512.Create(range.Start), Vector512.Create(range.Last)) | (address & Vector512.Create(odd));
            }
            if (wrong == Vector512<ulong>.Zero)
            {
                warp.Block.Races?.Mark(warp, this, mask, use, addresses, bytes);
                return;
            }
        }
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            var address = addresses[lane];
            if (!range.Contains(address) || (address & odd) != 0)
                range = FindRange(warp, lane, address, use);
        }
        warp.Block.Races?.Mark(warp, this, mask, use, addresses, bytes);
    }

    private AddressRange FindRange(Warp warp, int lane, ulong address, MemoryUse use)
    {
        var does = use switch { MemoryUse.Read => "reads", MemoryUse.Write => "writes", _ => "changes" };
        if ((address & (ulong)(bytes - 1)) != 0)
            throw warp.Fault(this, lane, $"{does} {bytes} bytes at 0x{address:x}, which is not a multiple of {bytes}");
        if (!warp.Block.Memory.TryFind(address, bytes, out var range))
            throw warp.Fault(this, lane, $"{does} {bytes} bytes at 0x{address:x}, outside every live allocation ({warp.Block.Memory.Describe(address)})");
        warp.Ranges[target.Range] = range;
        return range;
    }

    private void LocateLocal(Warp warp, uint mask, byte** pointers)
    {
        var frame = warp.Block.Kernel.LocalBytes;
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var address = (ulong)pointers[lane];
            if (address > (ulong)frame || address + (ulong)bytes > (ulong)frame || (address & (ulong)(bytes - 1)) != 0)
                throw OutsideLocal(warp, lane, address);
            pointers[lane] = warp.Local + ((long)lane * frame) + (long)address;
        }
    }

    private PtxException OutsideLocal(Warp warp, int lane, ulong address) =>
        warp.Fault(this, lane, $"touches {bytes} bytes at 0x{address:x} of local memory, misaligned or outside its {warp.Block.Kernel.LocalBytes} bytes");
}
