using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Text;

/// <summary>A file of texts that an option names.</summary>
internal static class TextFile
{
    /// <exception cref="InputException">It is not there, or can't be read.</exception>
    public static FileStream Open(string path)
    {
        RegularFile.Require(path);
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(e is FileNotFoundException or DirectoryNotFoundException ? $"{path}: no such file" : $"{path}: the file can't be read ({(Directory.Exists(path) ? "it is a folder" : e.Message.TrimEnd('.'))})", e);
        }
    }
}
