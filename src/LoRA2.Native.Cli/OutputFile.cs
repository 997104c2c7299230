using LoRA2.Native.Files;

namespace LoRA2.Native.Cli;

/// <summary>Checks of the file that <c>--output</c> names, before anything is computed.</summary>
internal static class OutputFile
{
    /// <summary>Refuses what can't be written, and a file that is read from.</summary>
    /// <param name="path">What --output says.</param>
    /// <param name="input">The file that is read, or null for standard input.</param>
    /// <param name="canStream">Whether a named pipe or a device can be written to as well.</param>
    /// <exception cref="InputException">It is a folder, in no folder, the input, or neither a file nor what can be written to like one.</exception>
    public static void Require(string path, string? input, bool canStream)
    {
        if (Directory.Exists(path)) throw new InputException($"--output '{path}': is a folder; a file was expected");
        if (!canStream || !RegularFile.IsStream(path)) RegularFile.Require(path);
        if (input is not null && RegularFile.AreSame(path, input)) throw new InputException($"--output '{path}': is the file that --file reads; another was expected");
        if (Path.GetDirectoryName(AtomicFile.TargetOf(path)) is { } folder && !Directory.Exists(folder)) throw new InputException($"--output '{path}': there is no folder '{folder}'");
    }
}
