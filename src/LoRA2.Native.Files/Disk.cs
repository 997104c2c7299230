using System.Runtime.InteropServices;

namespace LoRA2.Native.Files;

/// <summary>
/// Everything that this project asks of a file system when it changes something there. One place, so that a test can stand in for it and fail, shorten or stop at any of
/// the operations.
/// </summary>
internal abstract partial class Disk
{
    private static readonly AsyncLocal<Disk?> Replaced = new();
    private static readonly Disk Physical = new PhysicalDisk();

    /// <summary>The operating system's, unless this flow of control has another.</summary>
    public static Disk Current => Replaced.Value ?? Physical;

    /// <summary>Puts another in its place for this flow of control, until the result is disposed.</summary>
    public static IDisposable Replace(Disk disk)
    {
        Replaced.Value = disk;
        return new Restoration();
    }

    /// <summary>A new file, open for writing.</summary>
    /// <param name="path">The file; there must be none.</param>
    /// <param name="share">What others may do with it meanwhile.</param>
    public abstract Stream Create(string path, FileShare share = FileShare.Read);

    /// <summary>Sends a stream of <see cref="Create"/> to the medium.</summary>
    public abstract void Flush(Stream stream);

    /// <summary>Renames a file over another.</summary>
    public abstract void Move(string from, string to);

    /// <summary>Deletes a file, which need not be there.</summary>
    public abstract void Delete(string path);

    /// <summary>Sends a folder's names to the medium.</summary>
    public abstract void FlushFolder(string folder);

    private sealed class Restoration : IDisposable
    {
        public void Dispose() => Replaced.Value = null;
    }

    private sealed partial class PhysicalDisk : Disk
    {
        public override Stream Create(string path, FileShare share) => new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, share, 1 << 16);

        public override void Flush(Stream stream) => ((FileStream)stream).Flush(flushToDisk: true);

        public override void Move(string from, string to) => File.Move(from, to, overwrite: true);

        public override void Delete(string path) => File.Delete(path);

        // The rename itself reaches the disk when the folder does. .NET cannot open a folder, so libc is asked; a system or a file system
        // that refuses loses nothing but the promptness of the rename, hence no error.
        public override void FlushFolder(string folder)
        {
            if (OperatingSystem.IsWindows()) return;
            try
            {
                int descriptor = Open(folder, 0);
                if (descriptor < 0) return;
                _ = Fsync(descriptor);
                _ = Close(descriptor);
            }
            catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
            {
            }
        }

        [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
        private static partial int Open(string path, int flags);

        [LibraryImport("libc", EntryPoint = "fsync")]
        private static partial int Fsync(int descriptor);

        [LibraryImport("libc", EntryPoint = "close")]
        private static partial int Close(int descriptor);
    }
}
