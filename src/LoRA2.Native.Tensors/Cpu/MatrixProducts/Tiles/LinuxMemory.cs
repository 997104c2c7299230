using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>The calls of the Linux C library that run-time code needs.</summary>
internal static unsafe partial class LinuxMemory
{
    private const nint ArchPrctl = 158;
    private const nint RequestPermission = 0x1023;
    private const nint TileData = 18;
    private const int Read = 1, Write = 2, Execute = 4;
    private const int PrivateAnonymous = 0x22;

    /// <summary>Asks the kernel, for the whole process, for the right to use the tile registers.</summary>
    public static bool RequestTileRegisters() => SystemCall(ArchPrctl, RequestPermission, TileData) == 0;

    /// <summary>
    /// Copies code to pages of its own that are never writable and executable at once, and that live as long as the process; null if the
    /// system refuses.
    /// </summary>
    public static byte* Load(ReadOnlySpan<byte> code)
    {
        var size = (nuint)code.Length;
        void* memory = Map(null, size, Read | Write, PrivateAnonymous, -1, 0);
        if (memory == (void*)-1) return null;
        code.CopyTo(new Span<byte>(memory, code.Length));
        if (Protect(memory, size, Read | Execute) == 0) return (byte*)memory;
        _ = Unmap(memory, size);
        return null;
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, nint argument1, nint argument2);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
