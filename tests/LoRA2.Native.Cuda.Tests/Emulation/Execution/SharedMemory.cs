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
    private const ulong InFlight = ulong.MaxValue;
    private const ulong NoVariable = ulong.MaxValue - 1;

    private readonly byte* data;
    private readonly ulong[] writers;
    private readonly ulong[] readers;
    private readonly int unitShift;
    private ulong epoch = 1UL << EpochShift;

    /// <summary>Memory of some size, of which the bytes outside <paramref name="variables"/> must not be touched.</summary>
    public SharedMemory(int size, int unit, IEnumerable<(int Offset, int Size)> variables)
    {
        Size = size;
        unitShift = System.Numerics.BitOperations.Log2((uint)unit);
        data = (byte*)NativeMemory.AlignedAlloc((nuint)size + 64, 1024);
        writers = new ulong[(size >> unitShift) + 1];
        readers = new ulong[writers.Length];
        Array.Fill(writers, NoVariable);
        foreach (var (offset, bytes) in variables)
            writers.AsSpan(offset >> unitShift, (bytes + unit - 1) >> unitShift).Clear();
    }

    public int Size { get; }

    public void Dispose() => NativeMemory.AlignedFree(data);

    /// <summary>Forgets everything, for a new block.</summary>
    public void Reset()
    {
        new Span<byte>(data, Size).Fill(0xFF);
        Synchronise();
    }

    /// <summary>All threads met at a barrier.</summary>
    public void Synchronise() => epoch += 1UL << EpochShift;

    /// <summary>A pointer to checked bytes; <paramref name="address"/> is in the shared state space.</summary>
    public byte* Read(Warp warp, Operation operation, int lane, ulong address, int bytes)
    {
        var offset = Check(warp, operation, lane, address, bytes);
        var last = (offset + bytes - 1) >> unitShift;
        var mark = epoch | ((ulong)warp.Place & 0xFFFF) << 8 | (uint)warp.Index;
        for (var unit = offset >> unitShift; unit <= last; unit++)
        {
            var writer = writers[unit];
            if (writer >= epoch && (byte)writer != warp.Index)
                throw Conflict(warp, operation, lane, address, writer, "reads", "written");
            var reader = readers[unit];
            if (reader < epoch)
                readers[unit] = mark;
            else if ((reader & 0x7F) != (uint)warp.Index)
                readers[unit] = reader | Several;
        }
        return data + offset;
    }

    /// <summary>A pointer to bytes that the lane writes.</summary>
    public byte* Write(Warp warp, Operation operation, int lane, ulong address, int bytes)
    {
        var offset = Check(warp, operation, lane, address, bytes);
        Mark(warp, operation, lane, address, offset, bytes, epoch | ((ulong)warp.Place & 0xFFFF) << 8 | (uint)warp.Index);
        return data + offset;
    }

    /// <summary>A pointer to bytes that an atomic operation changes: no race with other atomic operations is looked for.</summary>
    public byte* Atomic(Warp warp, Operation operation, int lane, ulong address, int bytes) =>
        data + Check(warp, operation, lane, address, bytes);

    /// <summary>A copy to these bytes starts: until it is waited for nobody may touch them, and their content is lost.</summary>
    public int BeginCopy(Warp warp, Operation operation, int lane, ulong address, int bytes)
    {
        var offset = Check(warp, operation, lane, address, bytes);
        Mark(warp, operation, lane, address, offset, bytes, InFlight);
        new Span<byte>(data + offset, bytes).Fill(0xFF);
        return offset;
    }

    /// <summary>The copy has arrived.</summary>
    public void EndCopy(Warp warp, int offset, int bytes, UInt128 value)
    {
        new ReadOnlySpan<byte>(&value, bytes).CopyTo(new Span<byte>(data + offset, bytes));
        var mark = epoch | ((ulong)warp.Place & 0xFFFF) << 8 | (uint)warp.Index;
        for (var unit = offset >> unitShift; unit <= (offset + bytes - 1) >> unitShift; unit++)
            writers[unit] = mark;
    }

    private void Mark(Warp warp, Operation operation, int lane, ulong address, int offset, int bytes, ulong mark)
    {
        var last = (offset + bytes - 1) >> unitShift;
        for (var unit = offset >> unitShift; unit <= last; unit++)
        {
            var writer = writers[unit];
            if (writer >= epoch && (byte)writer != warp.Index)
                throw Conflict(warp, operation, lane, address, writer, "writes", "written");
            var reader = readers[unit];
            if (reader >= epoch && (byte)reader != warp.Index)
                throw Conflict(warp, operation, lane, address, reader, "writes", "read");
            writers[unit] = mark;
        }
    }

    private int Check(Warp warp, Operation operation, int lane, ulong address, int bytes)
    {
        if ((address & (ulong)(bytes - 1)) != 0)
            throw warp.Fault(operation, lane, $"touches {bytes} bytes at 0x{address:x} of shared memory, which is not a multiple of {bytes}");
        if (address - Base > (ulong)Size - (ulong)bytes || Size < bytes)
            throw warp.Fault(operation, lane, $"touches {bytes} bytes at 0x{address:x} of shared memory, outside the block's {Size} bytes from 0x{Base:x}");
        return (int)(address - Base);
    }

    private PtxException Conflict(Warp warp, Operation operation, int lane, ulong address, ulong mark, string does, string did)
    {
        if (mark == InFlight)
            return warp.Fault(operation, lane, $"{does} 0x{address:x} of shared memory while a cp.async to it has not been waited for");
        if (mark == NoVariable)
            return warp.Fault(operation, lane, $"{does} 0x{address:x} of shared memory, which belongs to no variable");
        var place = (int)(mark >> 8) & 0xFFFF;
        var other = (mark & Several) != 0 ? "several warps" : $"warp {mark & 0x7F}";
        return warp.Fault(operation, lane, $"(warp {warp.Index}) {does} 0x{address:x} of shared memory, which {other} has {did} "
            + $"since the last barrier (line {warp.Block.Kernel.Code[place].Line}): a race");
    }
}
