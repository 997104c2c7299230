namespace LoRA2.Native.Files;

/// <summary>Tells whether the files of a <see cref="FileSet"/> that were read one after the other were all of the same set.</summary>
/// <param name="key">The path of the set's key; made before the first of the files is opened.</param>
internal sealed class FileSetReading(string key)
{
    private readonly byte[] before = Bytes(key);

    /// <summary>To be called after the last of the files was opened.</summary>
    /// <exception cref="InputException">They were replaced meanwhile.</exception>
    public void RequireUnchanged()
    {
        // Before the first file of another set is in its place the key is gone, and it is back after the last.
        if (!before.AsSpan().SequenceEqual(Bytes(key))) throw new InputException($"{key}: the files of the folder were replaced while they were read; try again");
    }

    private static byte[] Bytes(string path)
    {
        try
        {
            return RegularFile.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or InputException)
        {
            // Whoever reads the key says what is wrong with it.
            return [];
        }
    }
}
