using System.Text;
using LoRA2.Native.Cuda.Tests.Emulation;

namespace LoRA2.Native.Cuda.Tests.Interpreter;

/// <summary>All PTX that comes with the library is PTX that the interpreter knows.</summary>
public sealed class CommittedPtxTests
{
    [Fact]
    public void EveryFileIsDecodedWhole()
    {
        foreach (var family in KernelLibrary.Families)
            Assert.NotEmpty(PtxModule.Parse(Encoding.UTF8.GetString(KernelLibrary.Ptx(family))).Kernels);
    }
}
