using System.Runtime.InteropServices;

namespace LoRA2.Native.Files;

/// <summary>Tells files from what only looks like one: opening a named pipe waits for a writer that may never come, and a device may have no end.</summary>
internal static partial class RegularFile
{
    private const int StatusBytes = 256;
    private const int CurrentFolder = -100;
    private const uint TypeAndMode = 3;
    private const uint Inode = 0x100;
    private const int ModeOffset = 28;
    private const int InodeOffset = 32;
    private const int DeviceOffset = 136;
    private const int TypeMask = 0xF000;
    private const int NamedPipe = 0x1000;
    private const int CharacterDevice = 0x2000;
    private const int BlockDevice = 0x6000;
    private const int Socket = 0xC000;
    private const int Regular = 0x8000;

    /// <summary>The bytes of a file.</summary>
    /// <exception cref="InputException">It is no file, or cannot be read.</exception>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="DirectoryNotFoundException">There is not even its folder.</exception>
    public static byte[] ReadAllBytes(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        Require(path);
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or (IOException and not (FileNotFoundException or DirectoryNotFoundException)))
        {
            throw new InputException($"{path}: the file can't be read ({(Directory.Exists(path) ? "it is a folder" : e.Message.TrimEnd('.'))})", e);
        }
    }

    /// <summary>Refuses what is there and is neither a file nor a folder; what is not there is the business of whoever opens it.</summary>
    /// <exception cref="InputException">It is a named pipe, a socket or a device.</exception>
    public static void Require(string path)
    {
        string? found = TypeOf(path) switch
        {
            NamedPipe => "a named pipe",
            CharacterDevice or BlockDevice => "a device",
            Socket => "a socket",
            _ => null,
        };
        if (found is not null) throw new InputException($"{path}: is {found}, expected a file.");
    }

    /// <summary>Whether a path leads to a named pipe or a device that takes bytes as they come.</summary>
    public static bool IsStream(string path) => TypeOf(path) is NamedPipe or CharacterDevice;

    /// <summary>Whether two paths lead to the same file, by links of any kind; a device, which keeps nothing, is none.</summary>
    public static bool AreSame(string one, string other)
    {
        Span<byte> first = stackalloc byte[StatusBytes], second = stackalloc byte[StatusBytes];
        if (!TryStatus(one, first) || !TryStatus(other, second)) return Path.Exists(one) && AtomicFile.TargetOf(one) == AtomicFile.TargetOf(other);
        return TypeIn(first) == Regular && first.Slice(InodeOffset, 8).SequenceEqual(second.Slice(InodeOffset, 8)) && first.Slice(DeviceOffset, 8).SequenceEqual(second.Slice(DeviceOffset, 8));
    }

    /// <summary>The bits of the type, or 0 where it can't be told.</summary>
    private static int TypeOf(string path)
    {
        Span<byte> status = stackalloc byte[StatusBytes];
        return TryStatus(path, status) ? TypeIn(status) : 0;
    }

    private static int TypeIn(ReadOnlySpan<byte> status) => BitConverter.ToUInt16(status[ModeOffset..]) & TypeMask;

    private static bool TryStatus(string path, Span<byte> status)
    {
        if (!OperatingSystem.IsLinux() || path.Contains('\0', StringComparison.Ordinal)) return false;
        try
        {
            return Statx(CurrentFolder, path, 0, TypeAndMode | Inode, ref MemoryMarshal.GetReference(status)) == 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Linux' own: its structure is the same on every processor.</summary>
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte status);
}
