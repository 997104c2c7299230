using System.Runtime.InteropServices;

namespace LoRA2.Native.Files;

/// <summary>Tells files from what only looks like one: opening a named pipe waits for a writer that may never come, and a device may have no end.</summary>
internal static partial class RegularFile
{
    private const int CurrentFolder = -100;
    private const uint TypeAndMode = 3;
    private const int ModeOffset = 28;
    private const int TypeMask = 0xF000;

    /// <summary>The bytes of a file.</summary>
    /// <exception cref="InputException">It is no file, or cannot be read.</exception>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="DirectoryNotFoundException">There is not even its folder.</exception>
    public static byte[] ReadAllBytes(string path)
    {
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
        if (!OperatingSystem.IsLinux() || path.Contains('\0', StringComparison.Ordinal)) return;
        Span<byte> status = stackalloc byte[256];
        try
        {
            if (Statx(CurrentFolder, path, 0, TypeAndMode, ref MemoryMarshal.GetReference(status)) != 0) return;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return;
        }

        string? found = (BitConverter.ToUInt16(status[ModeOffset..]) & TypeMask) switch
        {
            0x1000 => "a named pipe",
            0x2000 or 0x6000 => "a device",
            0xC000 => "a socket",
            _ => null,
        };
        if (found is not null) throw new InputException($"{path}: is {found}, expected a file.");
    }

    /// <summary>Linux' own: its structure is the same on every processor.</summary>
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte status);
}
