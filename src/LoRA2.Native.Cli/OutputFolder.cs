using LoRA2.Native.Experiments;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli;

/// <summary>Checks of the folder that a command writes its result to, so that an earlier result is not lost by accident.</summary>
internal static class OutputFolder
{
    /// <summary>Refuses a folder with a result, and a path that is no folder.</summary>
    /// <exception cref="InputException">Something would be lost.</exception>
    public static void RequireFree(string path, bool overwrite)
    {
        RequireFolder(path);
        if (overwrite) return;
        var folder = new RunFolder(path);
        if (folder.HasCheckpoint) throw new InputException($"{path}: there is an interrupted run; --resume takes it up, --overwrite discards it");
        if (folder.Result is { } there) throw new InputException($"{path}: there is a result already ({there}); choose another --output, or --overwrite it");
    }

    /// <summary>
    /// Makes the folder, keeps other processes from writing to it until the result is disposed, and ends what a process killed there has left. When nothing came to be in a
    /// folder that it made, that goes again.
    /// </summary>
    /// <exception cref="InputException">Another process writes to it.</exception>
    public static IDisposable Hold(string path)
    {
        bool isNew = !Directory.Exists(path);
        FileStream hold = new RunFolder(path).Hold();
        AtomicFile.RemoveLeftovers(path);
        return new Held(hold, isNew ? path : null);
    }

    /// <summary>Refuses a path that is a file.</summary>
    public static void RequireFolder(string path)
    {
        for (string? part = Path.GetFullPath(path); part is not null; part = Path.GetDirectoryName(part))
        {
            if (File.Exists(part)) throw new InputException($"--output '{path}': '{part}' is a file; a folder was expected");
        }
    }

    private sealed class Held(FileStream hold, string? made) : IDisposable
    {
        public void Dispose()
        {
            hold.Dispose();
            if (made is not null && Directory.Exists(made) && !Directory.EnumerateFileSystemEntries(made).Any()) Directory.Delete(made);
        }
    }
}
