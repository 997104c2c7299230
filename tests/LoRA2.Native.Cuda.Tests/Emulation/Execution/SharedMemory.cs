using System.Numerics;
using System.Runtime.InteropServices;
using LoRA2.Native.Cuda.Tests.Emulation.Operations;

namespace LoRA2.Native.Cuda.Tests.Emulation.Execution;

/// <summary>
/// A block's shared memory, with a shadow that says of every unit of bytes which warp wrote it and which read it since the
/// last barrier. Two warps at one unit, one of them writing, is a race. Lanes of one warp count as ordered.
/// </summary>
internal sealed unsafe class SharedMemory : IDisposable
{
    /// <summary>The address of its first byte; not 0, so that an address that was never set shows.</summary>
    public const int Base = 1024;

    // A mark: the epoch above, then 16 bits of the place in the code, then 8 of the warp (with a bit for "several warps").
    private const int EpochShift = 32;
    private const ulong Several = 0x80;
    private const ulong PlaceBits = 0xFFFF00;
    private const ulong InFlight = ulong.MaxValue;
    private const ulong NoVariable = ulong.MaxValue - 1;

    private readonly byte* data;
    private readonly Marks* shadow;
    private readonly int unitShift;
    private ulong epoch = 1UL << EpochShift;

    /// <summary>Memory of some size, of which the bytes outside <paramref name="variables"/> must not be touched.</summary>
    public SharedMemory(int size, int unit, IEnumerable<(int Offset, int Size)> variables)
    {
        Size = size;
        unitShift = BitOperations.Log2((uint)unit);
        data = (byte*)NativeMemory.AlignedAlloc((nuint)size + 64, 1024);
        var units = (size >> unitShift) + 1;
        shadow = (Marks*)NativeMemory.AllocZeroed((nuint)units, (nuint)sizeof(Marks));
        for (var u = 0; u < units; u++)
            shadow[u].Writer = NoVariable;
        foreach (var (offset, bytes) in variables)
            new Span<Marks>(shadow + (offset >> unitShift), (bytes + unit - 1) >> unitShift).Clear();
    }

    public int Size { get; }

    public void Dispose()
    {
        NativeMemory.AlignedFree(data);
        NativeMemory.Free(shadow);
    }

    /// <summary>Forgets everything, for a new block.</summary>
    public void Reset()
    {
        new Span<byte>(data, Size).Fill(0xFF);
        Synchronise();
    }

    /// <summary>All threads met at a barrier.</summary>
    public void Synchronise() => epoch += 1UL << EpochShift;

    /// <summary>Checks the lanes' accesses of <paramref name="bytes"/> bytes and marks them; addresses of the shared space become pointers.</summary>
    public void Locate(Warp warp, Operation operation, uint mask, MemoryUse use, int bytes, byte** pointers)
    {
        var mark = Mark(warp);
        var all = mask;
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            // Lanes often share a place, with a neighbour or with the other half of the warp: it was checked and marked for that one.
            var pointer = data + ((ulong)pointers[lane] - Base);
            if ((lane > 0 && (all >> (lane - 1) & 1) != 0 && pointers[lane - 1] == pointer) || (lane >= 16 && (all >> (lane - 16) & 1) != 0 && pointers[lane - 16] == pointer))
            {
                pointers[lane] = pointer;
                continue;
            }
            var offset = Check(warp, operation, lane, (ulong)pointers[lane], bytes);
            pointers[lane] = pointer;
            if (use == MemoryUse.Read)
                MarkRead(warp, operation, lane, offset, bytes, mark);
            else if (use == MemoryUse.Write)
                MarkWritten(warp, operation, lane, offset, bytes, mark);
        }
    }

    /// <summary>A copy to these bytes starts: until it is waited for nobody may touch them, and their content is lost.</summary>
    public int BeginCopy(Warp warp, Operation operation, int lane, ulong address, int bytes)
    {
        var offset = Check(warp, operation, lane, address, bytes);
        MarkWritten(warp, operation, lane, offset, bytes, InFlight);
        new Span<byte>(data + offset, bytes).Fill(0xFF);
        return offset;
    }

    /// <summary>The copy has arrived.</summary>
    public void EndCopy(Warp warp, int offset, int bytes, UInt128 value)
    {
        new ReadOnlySpan<byte>(&value, bytes).CopyTo(new Span<byte>(data + offset, bytes));
        var mark = Mark(warp);
        for (var unit = offset >> unitShift; unit <= (offset + bytes - 1) >> unitShift; unit++)
            shadow[unit].Writer = mark;
    }

    private struct Marks
    {
        public ulong Writer;
        public ulong Reader;
    }

    private ulong Mark(Warp warp) => epoch | ((ulong)warp.Place & 0xFFFF) << 8 | (uint)warp.Index;

    private void MarkRead(Warp warp, Operation operation, int lane, int offset, int bytes, ulong mark)
    {
        var last = (offset + bytes - 1) >> unitShift;
        for (var unit = offset >> unitShift; unit <= last; unit++)
        {
            ref var marks = ref shadow[unit];
            if (marks.Writer >= epoch && (byte)marks.Writer != (byte)mark)
                throw Conflict(warp, operation, lane, unit, marks.Writer, "reads", "written");
            // Read by this warp already, wherever in the code.
            if (((marks.Reader ^ mark) & ~PlaceBits) == 0)
                continue;
            if (marks.Reader < epoch)
                marks.Reader = mark;
            else if ((marks.Reader & 0x7F) != (byte)mark)
                marks.Reader |= Several;
        }
    }

    private void MarkWritten(Warp warp, Operation operation, int lane, int offset, int bytes, ulong mark)
    {
        var last = (offset + bytes - 1) >> unitShift;
        for (var unit = offset >> unitShift; unit <= last; unit++)
        {
            ref var marks = ref shadow[unit];
            if (marks.Writer >= epoch && (byte)marks.Writer != warp.Index)
                throw Conflict(warp, operation, lane, unit, marks.Writer, "writes", "written");
            if (marks.Reader >= epoch && (byte)marks.Reader != warp.Index)
                throw Conflict(warp, operation, lane, unit, marks.Reader, "writes", "read");
            marks.Writer = mark;
        }
    }

    private int Check(Warp warp, Operation operation, int lane, ulong address, int bytes)
    {
        var offset = address - Base;
        if ((address & (ulong)(bytes - 1)) == 0 && offset <= (ulong)Size && offset + (ulong)bytes <= (ulong)Size)
            return (int)offset;
        throw Outside(warp, operation, lane, address, bytes);
    }

    private PtxException Outside(Warp warp, Operation operation, int lane, ulong address, int bytes) =>
        warp.Fault(operation, lane, (address & (ulong)(bytes - 1)) != 0
            ? $"touches {bytes} bytes at 0x{address:x} of shared memory, which is not a multiple of {bytes}"
            : $"touches {bytes} bytes at 0x{address:x} of shared memory, outside the block's {Size} bytes from 0x{Base:x}");

    private PtxException Conflict(Warp warp, Operation operation, int lane, int unit, ulong mark, string does, string did)
    {
        var where = $"0x{Base + (unit << unitShift):x} of shared memory";
        if (mark == InFlight)
            return warp.Fault(operation, lane, $"{does} {where} while a cp.async to it has not been waited for");
        if (mark == NoVariable)
            return warp.Fault(operation, lane, $"{does} {where}, which belongs to no variable");
        var place = (int)(mark >> 8) & 0xFFFF;
        var other = (mark & Several) != 0 ? "several warps" : $"warp {mark & 0x7F}";
        return warp.Fault(operation, lane, $"(warp {warp.Index}) {does} {where}, which {other} has {did} "
            + $"since the last barrier (line {warp.Block.Kernel.Code[place].Line}): a race");
    }
}
