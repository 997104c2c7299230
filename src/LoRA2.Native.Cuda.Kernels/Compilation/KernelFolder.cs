using System.Security.Cryptography;
using System.Text;

namespace LoRA2.Native.Cuda.Kernels.Compilation;

/// <summary>What the build takes from the compiler: a file of PTX for each kernel, the list of their hashes, and the C# that starts them.</summary>
internal static class KernelFolder
{
    /// <summary>The list's name. What it says at its head is what a reader of the committed copy needs to know.</summary>
    private const string HashList = "hashes.txt";

    private const string Head =
        """
        # SHA-256 of the PTX of every kernel, so that a review sees which ones a change, or another compiler, made anew. Renewed by
        #   dotnet build -c Release src/LoRA2.Native.Cuda -t:RenewKernelHashes

        """;

    /// <summary>Makes the folder hold these kernels and no others. Files that are so already are left alone, so that nothing that depends on them is built again.</summary>
    public static void Write(string folder, IReadOnlyList<CompiledKernel> kernels)
    {
        Directory.CreateDirectory(folder);
        HashSet<string> names = [.. kernels.Select(kernel => $"{kernel.Name}.ptx")];
        foreach (string old in Directory.GetFiles(folder, "*.ptx").Where(file => !names.Contains(Path.GetFileName(file)))) File.Delete(old);
        var hashes = new StringBuilder(Head.ReplaceLineEndings("\n"));
        foreach (CompiledKernel kernel in kernels)
        {
            Put(Path.Combine(folder, $"{kernel.Name}.ptx"), kernel.Ptx);
            hashes.Append(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(kernel.Ptx)))).Append("  ").Append(kernel.Name).Append('\n');
        }

        Put(Path.Combine(folder, HashList), hashes.ToString());
        Put(Path.Combine(folder, "KernelLaunchers.cs"), LauncherSource.Of(kernels));
    }

    private static void Put(string path, string text)
    {
        if (!File.Exists(path) || File.ReadAllText(path) != text) File.WriteAllText(path, text);
    }
}
