using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>
/// Native memory of exactly <c>count</c> elements whose neighbour, after the end or before the start, is a page that may not be touched
/// (Linux), so that a kernel that reads or writes one element too far ends the test run. Elsewhere the neighbours are only checked for
/// writes.
/// </summary>
internal sealed unsafe partial class GuardedMemory<T> : IDisposable
    where T : unmanaged
{
    private const int Page = 4096;
    private const byte Canary = 0xA5;
    private readonly byte* region;
    private readonly nuint size;
    private readonly nuint count;

    public GuardedMemory(long count, bool guardStart)
    {
        this.count = (nuint)count;
        nuint bytes = (nuint)count * (nuint)sizeof(T);
        nuint inner = (bytes + Page - 1) / Page * Page;
        size = inner + 2 * Page;
        if (OperatingSystem.IsLinux())
        {
            region = (byte*)Native.Map(null, size, 3, 0x22, -1, 0);
            if (region == (byte*)-1) throw new InvalidOperationException("mmap failed");
            int failed = Native.Protect(region, Page, 0) | Native.Protect(region + Page + inner, Page, 0);
            if (failed != 0) throw new InvalidOperationException("mprotect failed");
        }
        else
        {
            region = (byte*)NativeMemory.AlignedAlloc(size, Page);
            new Span<byte>(region, Page).Fill(Canary);
            new Span<byte>(region + Page + inner, Page).Fill(Canary);
        }

        new Span<byte>(region + Page, checked((int)inner)).Fill(Canary);
        Data = (T*)(region + Page + (guardStart ? 0 : inner - bytes));
    }

    public T* Data { get; }

    public Span<T> Span => new(Data, checked((int)count));

    public void Dispose()
    {
        byte* start = (byte*)Data, end = (byte*)(Data + count);
        bool linux = OperatingSystem.IsLinux();
        for (byte* p = region + (linux ? Page : 0); p < region + size - (linux ? Page : 0); p++)
        {
            if (p >= start && p < end) continue;
            Assert.True(*p == Canary, $"byte {p - start} of a buffer of {end - start} bytes was overwritten");
        }

        if (linux) Native.Unmap(region, size);
        else NativeMemory.AlignedFree(region);
    }

}

internal static unsafe partial class Native
{
    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    public static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(void* address, nuint length);
}
