using System.Text;
using LoRA2.Native.Cuda.Tests.Emulation;

namespace LoRA2.Native.Cuda.Tests.Interpreter;

/// <summary>All PTX that comes with the library is PTX that the interpreter knows.</summary>
public sealed class LibraryPtxTests
{
    [Fact]
    public void EveryKernelIsDecodedWholeAndAloneInItsModule()
    {
        Assert.NotEmpty(PtxText.Kernels);
        foreach (string name in PtxText.Kernels)
        {
            var module = PtxModule.Parse(Encoding.UTF8.GetString(PtxText.OfKernel(name)));
            Assert.Equal(PtxText.EntryOf(name), Assert.Single(module.Kernels).Name);
            Assert.Equal((70, 80), (module.Version, module.Target));
        }
    }
}
