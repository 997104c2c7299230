using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;

namespace LoRA2.Native.Cuda.Tests;

public class PtxFilesTests
{
    [Fact]
    public void EveryFileWasCompiledFromTheKernelsAsTheyAre()
    {
        string sources = Path.GetFullPath(Path.Combine(Here(), "../../src/LoRA2.Native.Cuda.Kernels"));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in Directory.GetFiles(sources, "*.cs").OrderBy(Path.GetFileName, StringComparer.Ordinal))
            hash.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(file)}\n{File.ReadAllText(file).ReplaceLineEndings("\n")}"));
        string expected = $"// sources: sha256 {Convert.ToHexStringLower(hash.GetHashAndReset())}";
        Assert.NotEmpty(PtxText.Families);
        Assert.All(PtxText.Families, family => Assert.Equal(expected, Encoding.UTF8.GetString(PtxText.OfFamily(family)).Split('\n')[0]));
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
