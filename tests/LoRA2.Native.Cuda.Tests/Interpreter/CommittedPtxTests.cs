using System.Text;
using LoRA2.Native.Cuda.Tests.Emulation;

namespace LoRA2.Native.Cuda.Tests.Interpreter;

/// <summary>All PTX that comes with the library is PTX that the interpreter knows.</summary>
public sealed class CommittedPtxTests
{
    [Fact]
    public void EveryFileIsDecodedWhole()
    {
        foreach (var family in PtxText.Families)
        {
            var whole = PtxModule.Parse(Encoding.UTF8.GetString(PtxText.OfFamily(family)));
            Assert.Equal(PtxText.KernelsOf(family), whole.Kernels.Select(kernel => $"{family}.{kernel.Name}"));
        }
    }

    [Fact]
    public void EveryKernelIsDecodedAlone()
    {
        foreach (var name in PtxText.Families.SelectMany(PtxText.KernelsOf))
        {
            var module = PtxModule.Parse(Encoding.UTF8.GetString(PtxText.OfKernel(name)));
            Assert.Equal(name.Split('.')[1], Assert.Single(module.Kernels).Name);
            Assert.Equal((70, 80), (module.Version, module.Target));
        }
    }

    [Fact]
    public void AKernelsOwnTextHasWhatStandsBeforeTheFirstAndNothingOfAnother()
    {
        var family = Encoding.UTF8.GetString(PtxText.OfFamily("Gemm"));
        var cut = PtxText.KernelsOf("Gemm").Select(name => Encoding.UTF8.GetString(PtxText.OfKernel(name))).ToList();
        var header = family[..family.IndexOf("\n.visible .entry", StringComparison.Ordinal)];
        Assert.Contains(".extern .shared", header, StringComparison.Ordinal);
        Assert.All(cut, text => Assert.StartsWith(header, text, StringComparison.Ordinal));
        Assert.Equal(family.TrimEnd(), header + string.Concat(cut.Select(text => text[header.Length..])).TrimEnd());
    }
}
