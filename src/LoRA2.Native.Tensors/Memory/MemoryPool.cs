using System.Numerics;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Memory;

/// <summary>
/// A device's memory, that is kept for the next tensor of the same size class instead of going back to the system. Classes are four to a
/// power of two; a new block is at most a fifth larger than what it was made for, and serves down to half its size (a big one down to two thirds).
/// </summary>
public sealed unsafe class MemoryPool
{
    internal const int Alignment = 64;

    private const int BigBlock = 1 << 20;

    private readonly Lock gate = new();
    private readonly bool checks;
    private readonly Dictionary<nuint, Stack<Storage>> free = [];
    private long inUse;
    private long reserved;
    private long peak;

    /// <param name="device">Whose memory.</param>
    /// <param name="keeps">Whether blocks are used again even where accesses are checked.</param>
    internal MemoryPool(Device device, bool keeps = false)
    {
        Device = device;
        checks = device.ChecksAccesses && !keeps;
    }

    /// <summary>The pool every CPU tensor comes from.</summary>
    public static MemoryPool Shared => Device.Cpu.Memory;

    /// <summary>Whose memory it is.</summary>
    public Device Device { get; }

    /// <summary>Bytes held by live tensors, rounded up to their size classes.</summary>
    public long BytesInUse => Interlocked.Read(ref inUse);

    /// <summary>Bytes taken from the system and not given back.</summary>
    public long BytesReserved => Interlocked.Read(ref reserved);

    /// <summary>The largest <see cref="BytesInUse"/> so far.</summary>
    public long PeakBytesInUse => Interlocked.Read(ref peak);

    /// <summary>Gives all unused blocks back to the system.</summary>
    public void Trim()
    {
        lock (gate)
        {
            foreach ((nuint size, Stack<Storage> blocks) in free)
            {
                while (blocks.TryPop(out Storage? block))
                {
                    Device.Free(block.Pointer);
                    GC.SuppressFinalize(block);
                    reserved -= (long)size;
                }
            }
        }
    }

    /// <summary>A block of at least so many bytes, with one owner.</summary>
    internal Storage Rent(nuint bytes)
    {
        nuint size = checks ? bytes : ClassOf(bytes);
        Storage? block;
        lock (gate)
        {
            block = checks ? null : Take(size);
            if (block is null) reserved += (long)size;
            inUse += (long)(block?.Size ?? size);
            peak = Math.Max(peak, inUse);
        }

        block ??= Allocate(size);
        block.Retain();
        return block;
    }

    internal void Return(Storage block)
    {
        lock (gate)
        {
            inUse -= (long)block.Size;
            if (checks)
            {
                Device.Free(block.Pointer);
                GC.SuppressFinalize(block);
                reserved -= (long)block.Size;
                return;
            }

            if (!free.TryGetValue(block.Size, out Stack<Storage>? blocks)) free[block.Size] = blocks = new Stack<Storage>();
            blocks.Push(block);
        }
    }

    private Storage Allocate(nuint size)
    {
        try
        {
            return new Storage(this, Device.Allocate(size), size);
        }
        catch (OutOfMemoryException)
        {
            lock (gate)
            {
                inUse -= (long)size;
                reserved -= (long)size;
            }

            throw;
        }
    }

    /// <summary>
    /// An unused block of the class, or of one of the next four: batches of many lengths would else keep a set of blocks for each. Of big blocks
    /// only the next class will do, for half of one is too much to waste. Null when there is none.
    /// </summary>
    private Storage? Take(nuint size)
    {
        int classes = size < BigBlock ? 5 : 2;
        for (int i = 0; i < classes; i++)
        {
            if (free.TryGetValue(size, out Stack<Storage>? blocks) && blocks.TryPop(out Storage? block)) return block;
            size = ClassOf(size + 1);
        }

        return null;
    }

    private static nuint ClassOf(nuint bytes)
    {
        if (bytes <= 256) return 256;
        nuint step = (nuint)1 << (BitOperations.Log2(bytes - 1) - 2);
        return (bytes + step - 1) / step * step;
    }
}
