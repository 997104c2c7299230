using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Cuda.Tests.Emulation;

namespace LoRA2.Native.Cuda.Tests.Interpreter;

/// <summary>All PTX that comes with the library is PTX that the interpreter knows.</summary>
public sealed class LibraryPtxTests
{
    [Fact]
    public void EveryKernelIsDecodedWholeAndAloneInItsModule()
    {
        Assert.NotEmpty(KernelLaunchers.All);
        foreach (Kernel kernel in KernelLaunchers.All)
        {
            var module = PtxModule.Parse(LibraryPtx.Of(kernel.Name));
            Assert.Equal(kernel.Entry, Assert.Single(module.Kernels).Name);
            Assert.Equal((70, 80), (module.Version, module.Target));
        }
    }
}
