namespace LoRA2.Native.Files;

/// <summary>Writes a file so that a reader, or a crash at any instruction, sees either the old content or the whole new one.</summary>
internal static class AtomicFile
{
    private const string Ending = ".tmp";

    /// <summary>
    /// Writes <paramref name="path"/> through a temporary file in the same folder: written, flushed to the disk, renamed over
    /// the old file. When <paramref name="write"/> or the disk fails, the temporary file is removed and the old file is untouched.
    /// </summary>
    /// <param name="path">The file to make or replace; its folder must exist.</param>
    /// <param name="write">Writes the content; the stream can seek and starts empty.</param>
    /// <param name="check">Reads the temporary file, whose path it is given, before it takes the old one's place, and throws when it is not what was to be written; null for no check.</param>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public static void Write(string path, Action<Stream> write, Action<string>? check = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        string target = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(target)
            ?? throw new ArgumentException($"{path} is a root folder, expected a file name.", nameof(path));
        string temporary = Temporary(folder, Path.GetFileName(target), Guid.NewGuid());
        Disk disk = Disk.Current;
        try
        {
            using (Stream stream = disk.Create(temporary))
            {
                write(stream);
                disk.Flush(stream);
            }
            check?.Invoke(temporary);
            disk.Move(temporary, target);
        }
        catch
        {
            disk.Delete(temporary);
            throw;
        }
        disk.FlushFolder(folder);
    }

    /// <summary>The name under which a file is written.</summary>
    public static string Temporary(string folder, string name, Guid id) => Path.Combine(folder, $".{name}.{id:N}{Ending}");

    /// <summary>
    /// Ends what processes killed while writing left in a folder: a set whose files were all there is completed, other temporary files are removed. Nobody may be writing
    /// there.
    /// </summary>
    public static void RemoveLeftovers(string folder)
    {
        FileSet.Complete(folder);
        foreach (string file in Directory.EnumerateFiles(folder, ".*" + Ending))
        {
            // Ours alone: a name, 32 hexadecimal digits, the ending.
            string name = Path.GetFileName(file)[..^Ending.Length];
            int dot = name.LastIndexOf('.');
            if (dot > 0 && Guid.TryParseExact(name.AsSpan(dot + 1), "N", out _)) Disk.Current.Delete(file);
        }
    }
}
