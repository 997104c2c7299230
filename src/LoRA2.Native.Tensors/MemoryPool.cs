using System.Numerics;
using System.Runtime.InteropServices;

namespace LoRA2.Native.Tensors;

/// <summary>
/// Aligned native memory that is kept for the next tensor of the same size class instead of going back to the system. Classes are four to a
/// power of two; a new block is at most a fifth larger than what it was made for, and serves down to half its size.
/// </summary>
public sealed unsafe class MemoryPool
{
    internal const int Alignment = 64;

    private readonly Lock gate = new();
    private readonly Dictionary<nuint, Stack<nint>> free = [];
    private long inUse;
    private long reserved;
    private long peak;

    /// <summary>The pool every CPU tensor comes from.</summary>
    public static MemoryPool Shared { get; } = new();

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
            foreach ((nuint size, Stack<nint> blocks) in free)
            {
                while (blocks.TryPop(out nint block))
                {
                    NativeMemory.AlignedFree((void*)block);
                    reserved -= (long)size;
                }
            }
        }
    }

    internal byte* Rent(nuint bytes, out nuint size)
    {
        size = ClassOf(bytes);
        lock (gate)
        {
            byte* unused = Take(ref size);
            inUse += (long)size;
            peak = Math.Max(peak, inUse);
            if (unused != null) return unused;
            reserved += (long)size;
        }

        try
        {
            return (byte*)NativeMemory.AlignedAlloc(size, size >= 1 << 21 ? 4096u : Alignment);
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

    internal void Return(byte* block, nuint size)
    {
        lock (gate)
        {
            inUse -= (long)size;
            if (!free.TryGetValue(size, out Stack<nint>? blocks)) free[size] = blocks = new Stack<nint>();
            blocks.Push((nint)block);
        }
    }

    /// <summary>
    /// An unused block of the class, or of one of the next four: batches of many lengths would else keep a set of blocks for each. Null, and the
    /// class unchanged, when there is none.
    /// </summary>
    private byte* Take(ref nuint size)
    {
        nuint larger = size;
        for (int i = 0; i < 5; i++)
        {
            if (free.TryGetValue(larger, out Stack<nint>? blocks) && blocks.TryPop(out nint block))
            {
                size = larger;
                return (byte*)block;
            }

            larger = ClassOf(larger + 1);
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
