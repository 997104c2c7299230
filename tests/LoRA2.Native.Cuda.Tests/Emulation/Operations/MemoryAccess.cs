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

    protected MemoryTarget Target => target;

    /// <summary>Bytes a lane touches.</summary>
    protected int Bytes => bytes;

    /// <summary>Whether the access is surely to global memory.</summary>
    protected bool IsGlobal => target.Space is PtxSpace.Global or PtxSpace.Constant;

    /// <summary>The address that a lane's registers say.</summary>
    protected ulong Address(Warp warp, int lane)
    {
        var slot = target.Address;
        var from = warp.Registers + slot.Offset;
        return (slot.Width == 8 ? ((ulong*)from)[lane] : ((uint*)from)[lane]) + (ulong)target.Offset;
    }

    /// <summary>A pointer to the bytes at a lane's address, checked.</summary>
    protected byte* Locate(Warp warp, int lane, ulong address, MemoryUse use)
    {
        var space = target.Space;
        if (space == PtxSpace.Generic)
        {
            space = address >= LocalWindow ? PtxSpace.Local : address >= SharedWindow ? PtxSpace.Shared : PtxSpace.Global;
            address -= space == PtxSpace.Local ? LocalWindow : space == PtxSpace.Shared ? SharedWindow : 0;
        }
        switch (space)
        {
            case PtxSpace.Shared:
                return use switch
                {
                    MemoryUse.Read => warp.Block.Shared.Read(warp, this, lane, address, bytes),
                    MemoryUse.Write => warp.Block.Shared.Write(warp, this, lane, address, bytes),
                    _ => warp.Block.Shared.Atomic(warp, this, lane, address, bytes),
                };
            case PtxSpace.Local:
                var frame = warp.Block.Kernel.LocalBytes;
                if (address > (ulong)(frame - bytes) || frame < bytes || (address & (ulong)(bytes - 1)) != 0)
                    throw warp.Fault(this, lane, $"touches {bytes} bytes at 0x{address:x} of local memory, misaligned or outside its {frame} bytes");
                return warp.Local + (long)lane * frame + (long)address;
            default:
                return LocateGlobal(warp, lane, address, use);
        }
    }

    private byte* LocateGlobal(Warp warp, int lane, ulong address, MemoryUse use)
    {
        var does = use switch { MemoryUse.Read => "reads", MemoryUse.Write => "writes", _ => "changes" };
        if ((address & (ulong)(bytes - 1)) != 0)
            throw warp.Fault(this, lane, $"{does} {bytes} bytes at 0x{address:x}, which is not a multiple of {bytes}");
        ref var range = ref warp.Ranges[target.Range];
        if (!range.Contains(address) && !warp.Block.Memory.TryFind(address, bytes, out range))
            throw warp.Fault(this, lane, $"{does} {bytes} bytes at 0x{address:x}, outside every live allocation ({warp.Block.Memory.Describe(address)})");
        return (byte*)address;
    }
}
