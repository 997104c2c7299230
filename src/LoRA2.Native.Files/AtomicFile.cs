namespace LoRA2.Native.Files;

/// <summary>Writes a file so that a reader, or a crash at any instruction, sees either the old content or the whole new one.</summary>
internal static class AtomicFile
{
    private const string Ending = ".tmp";

    /// <summary>As many as Linux follows.</summary>
    private const int MostLinks = 40;

    /// <summary>
    /// Writes <paramref name="path"/> through a temporary file in the same folder: written, flushed to the disk, renamed over
    /// the old file. When <paramref name="write"/> or the disk fails, the temporary file is removed and the old file is untouched.
    /// A symbolic link stays: what it leads to is replaced.
    /// </summary>
    /// <param name="path">The file to make or replace; its folder must exist.</param>
    /// <param name="write">Writes the content; the stream can seek and starts empty.</param>
    /// <param name="check">Reads the temporary file, whose path it is given, before it takes the old one's place, and throws when it is not what was to be written; null for no check.</param>
    /// <exception cref="InputException">There is a named pipe, a socket or a device.</exception>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public static void Write(string path, Action<Stream> write, Action<string>? check = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        // A device or a pipe would become a file, for every process of the machine.
        RegularFile.Require(path);
        string target = TargetOf(path);
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
        catch (FileNotFoundException e) when (e.FileName == temporary)
        {
            // What the system says where it allows no file, as in /proc; the temporary file's name would tell nobody anything.
            throw OutputPlace.NoFile(path, folder, e);
        }
        catch (UnauthorizedAccessException e) when (!File.Exists(temporary))
        {
            throw OutputPlace.Denied(path, folder, e);
        }
        catch
        {
            disk.Delete(temporary);
            throw;
        }
        disk.FlushFolder(folder);
    }

    /// <summary>As <see cref="Write"/>, but a named pipe or a device gets the bytes as they come: there is nothing to replace.</summary>
    /// <param name="path">The file, pipe or device.</param>
    /// <param name="write">Writes the content; the stream may be one that can't seek.</param>
    public static void WriteOrStream(string path, Action<Stream> write)
    {
        if (!RegularFile.IsStream(path))
        {
            Write(path, write);
            return;
        }

        // No buffer: a reader sees each answer when it is there.
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
        write(stream);
    }

    /// <summary>The full path of what a symbolic link leads to, which need not be there; of what is no link, its own.</summary>
    /// <exception cref="InputException">The links lead round.</exception>
    public static string TargetOf(string path)
    {
        string full = Path.GetFullPath(path);
        if (new FileInfo(full).LinkTarget is null) return full;
        if (OperatingSystem.IsWindows()) return File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
        // File.ResolveLinkTarget takes ".." off a path before it follows the links in it, which the system does not.
        Stack<string> rest = [];
        void Add(string some)
        {
            foreach (string part in some.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse()) rest.Push(part);
        }

        Add(full);
        string current = "/";
        int links = 0;
        while (rest.TryPop(out string? part))
        {
            if (part == "..") current = Path.GetDirectoryName(current) ?? current;
            if (part is "." or "..") continue;
            string next = Path.Combine(current, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                current = next;
                continue;
            }

            if (++links > MostLinks) throw new InputException($"{path}: is a symbolic link that leads through more than {MostLinks} others, expected one to a file.");
            if (target.StartsWith('/')) current = "/";
            Add(target);
        }

        return current;
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
