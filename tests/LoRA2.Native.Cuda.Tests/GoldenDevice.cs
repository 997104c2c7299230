using LoRA2.Native.Cuda;
using LoRA2.Native.Cuda.Tests.Emulation;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Tests;

/// <summary>The device that this assembly's golden tests run on: the interpreter of PTX.</summary>
internal static class GoldenDevice
{
    public static Device Open() => new CudaDevice(new EmulatedDriver(), 0);
}
