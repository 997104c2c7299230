using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tests;

/// <summary>The device that this assembly's golden tests run on; LoRA2.Native.Cuda.Tests has the same tests and another device.</summary>
internal static class GoldenDevice
{
    public static Device Open() => Device.Cpu;
}
