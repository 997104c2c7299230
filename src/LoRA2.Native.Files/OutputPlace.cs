namespace LoRA2.Native.Files;

/// <summary>Folders that are written to.</summary>
internal static class OutputPlace
{
    /// <summary>Makes a folder, with those above it; it may be there.</summary>
    /// <exception cref="InputException">The system allows none there.</exception>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder above may not be written to.</exception>
    public static void Make(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // What the system says of /proc/x is that it can't be found, which is no news to who asked for it to be made.
            string above = Path.GetFullPath(folder);
            while (!Directory.Exists(above)) above = Path.GetDirectoryName(above)!;
            throw new InputException($"{folder}: no folder can be made in '{above}', expected a place that can be written to.", e);
        }
    }

    /// <summary>To be thrown where the system knows no such file and was asked to make it.</summary>
    public static InputException NoFile(string path, string folder, Exception e) => new($"{path}: no file can be made in '{folder}', expected a place that can be written to.", e);

    /// <summary>To be thrown where the system allows no file: a failure of the run, whoever was to have given the right.</summary>
    public static UnauthorizedAccessException Denied(string path, string folder, Exception e) => new($"{path}: a file may not be made in '{folder}'.", e);
}
