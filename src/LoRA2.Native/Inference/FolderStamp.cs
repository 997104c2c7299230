using System.Security.Cryptography;
using System.Text;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Inference;

/// <summary>Tells whether the files of a folder are those of before: by their bytes, or, quicker, by their sizes and times.</summary>
internal static class FolderStamp
{
    /// <summary>The names, sizes and times of the files that a model's or adapter's folder is made of.</summary>
    /// <exception cref="InputException">One can't be looked at.</exception>
    public static string Glance(string folder)
    {
        try
        {
            return string.Join('|', Files(folder).Select(file => $"{NameIn(folder, file)}:{file.Length}:{file.LastWriteTimeUtc.Ticks}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"folder '{folder}' can't be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>SHA-256 of their names and bytes.</summary>
    /// <exception cref="InputException">One can't be read.</exception>
    public static string Of(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[1 << 16];
        foreach (FileInfo file in Files(folder))
        {
            RegularFile.Require(file.FullName);
            hash.AppendData(Encoding.UTF8.GetBytes(NameIn(folder, file) + "\0"));
            try
            {
                using FileStream stream = file.Open(FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
                hash.AppendData(BitConverter.GetBytes(stream.Length));
                for (int read = stream.Read(buffer); read > 0; read = stream.Read(buffer)) hash.AppendData(buffer.AsSpan(0, read));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new InputException($"{file.FullName}: the file can't be read ({e.Message.TrimEnd('.')})", e);
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static string NameIn(string folder, FileInfo file) => Path.GetRelativePath(folder, file.FullName);

    private static IEnumerable<FileInfo> Files(string folder)
    {
        try
        {
            var inside = new DirectoryInfo(folder);
            // Below it are a sentence-transformers folder's modules, each with a config; and perhaps checkpoints, which are nobody's here.
            return
            [
                .. inside.EnumerateFiles().Where(file => file.Extension is ".json" or ".safetensors" or ".bin" or ".txt" or ".model").OrderBy(file => file.Name, StringComparer.Ordinal),
                .. inside.EnumerateDirectories().OrderBy(module => module.Name, StringComparer.Ordinal).Select(module => new FileInfo(Path.Combine(module.FullName, ModelFolder.ConfigFile))).Where(file => file.Exists),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"folder '{folder}' can't be read ({e.Message.TrimEnd('.')})", e);
        }
    }
}
