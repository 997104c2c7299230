using System.Security.Cryptography;
using LoRA2.Native.Cuda.Launching;

namespace LoRA2.Native.Cuda.Tests;

public sealed class KernelHashesTests
{
    [Fact]
    public void TheCommittedHashesAreThoseOfTheKernelsInTheLibrary()
    {
        string[] committed = [.. File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "KernelHashes.txt")).Where(line => line.Length > 0 && line[0] != '#')];
        string[] built = [.. KernelLaunchers.All.Select(kernel => $"{Convert.ToHexStringLower(SHA256.HashData(kernel.Ptx))}  {kernel.Name}")];
        IEnumerable<string> differing = committed.Except(built).Concat(built.Except(committed)).Select(line => line.Split(' ')[^1]).Distinct().Order(StringComparer.Ordinal);
        Assert.True(
            committed.SequenceEqual(built),
            $"src/LoRA2.Native.Cuda/KernelHashes.txt: the build made other PTX of {string.Join(", ", differing)}; if that was meant, 'dotnet build -c Release src/LoRA2.Native.Cuda -t:RenewKernelHashes' writes the hashes anew");
    }
}
