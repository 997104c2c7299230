using System.Runtime.InteropServices;

namespace LoRA2.Native.Cuda.Tests.Emulation.Execution;

/// <summary>The table of live allocations. The memory is the process's own, so an address is a pointer.</summary>
internal sealed unsafe class GlobalMemory : IDisposable
{
    private readonly Lock gate = new();
    // Sorted by address; replaced as a whole, so that a launch reads it without a lock.
    private (ulong Start, ulong Length)[] allocations = [];

    public nint Allocate(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        // As the driver's, at least 256-byte aligned; an empty allocation still has an address of its own.
        var pointer = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), 256);
        for (long done = 0; done < bytes; done += 1 << 30)
            new Span<byte>(pointer + done, (int)Math.Min(bytes - done, 1 << 30)).Fill(0xFF);
        lock (gate)
        {
            var list = new (ulong Start, ulong Length)[allocations.Length + 1];
            var at = Find((ulong)pointer, allocations) + 1;
            allocations.AsSpan(0, at).CopyTo(list);
            list[at] = ((ulong)pointer, (ulong)bytes);
            allocations.AsSpan(at).CopyTo(list.AsSpan(at + 1));
            allocations = list;
        }
        return (nint)pointer;
    }

    public void Free(nint address)
    {
        lock (gate)
        {
            var at = Find((ulong)address, allocations);
            if (at < 0 || allocations[at].Start != (ulong)address)
                throw new PtxException($"0x{address:x} is freed, but is not the address of a live allocation.");
            var list = new (ulong Start, ulong Length)[allocations.Length - 1];
            allocations.AsSpan(0, at).CopyTo(list);
            allocations.AsSpan(at + 1).CopyTo(list.AsSpan(at));
            allocations = list;
        }
        NativeMemory.AlignedFree((void*)address);
    }

    /// <summary>The allocation that holds <paramref name="bytes"/> bytes at an address.</summary>
    public bool TryFind(ulong address, long bytes, out AddressRange range)
    {
        var table = allocations;
        var at = Find(address, table);
        range = default;
        if (at < 0 || table[at].Length < (ulong)bytes)
            return false;
        range = new AddressRange { Start = table[at].Start, Last = table[at].Length - (ulong)bytes, IsSet = true };
        return range.Contains(address);
    }

    /// <summary>The allocation at or below an address.</summary>
    public (ulong Start, ulong Length) Find(ulong address)
    {
        var table = allocations;
        return table[Find(address, table)];
    }

    /// <summary>Where an address lies relative to the nearest allocation at or below it.</summary>
    public string Describe(ulong address)
    {
        var table = allocations;
        var at = Find(address, table);
        if (at < 0)
            return "below every allocation";
        var (start, length) = table[at];
        return $"{address - start} bytes from the start of an allocation of {length} bytes";
    }

    /// <summary>The number of live allocations.</summary>
    public int Count => allocations.Length;

    public void Dispose()
    {
        foreach (var (start, _) in allocations)
            NativeMemory.AlignedFree((void*)start);
        allocations = [];
    }

    // The index of the last allocation that starts at or below the address; -1 if none.
    private static int Find(ulong address, (ulong Start, ulong Length)[] table)
    {
        int low = 0, high = table.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (table[middle].Start <= address)
                low = middle + 1;
            else
                high = middle;
        }
        return low - 1;
    }
}
