using System.Runtime.InteropServices;
using LoRA2.Native.Cuda.Driver;

namespace LoRA2.Native.Cuda.Tests;

public sealed class NoGpuTests
{
    [Fact]
    public void WithoutADriverTheMessageSaysWhatWasLookedFor()
    {
        if (LibCuda.FileNames.Any(name => NativeLibrary.TryLoad(name, out _))) return;
        CudaException e = Assert.Throws<CudaException>(() => CudaDevice.Open());
        Assert.Equal($"there is no NVIDIA driver: {string.Join(" or ", LibCuda.FileNames)} was not found", e.Message);
    }
}
