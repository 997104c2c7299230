using LoRA2.Native.Cuda;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Tests.Emulation;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tests;

/// <summary>The device that this assembly's golden tests run on: a GPU where there is one, else the interpreter of PTX.</summary>
internal static class GoldenDevice
{
    /// <summary>What NVIDIA calls the GPU, or null without one.</summary>
    public static string? Gpu { get; } = Find();

    public static Device Open() => Gpu is null ? Interpreter() : CudaDevice.Open();

    public static CudaDevice Interpreter() => new(new EmulatedDriver(), 0);

    private static string? Find()
    {
        try
        {
            using CudaDevice device = CudaDevice.Open();
            return device.Model;
        }
        catch (Exception e) when (e is CudaException or CudaMemoryException)
        {
            return null;
        }
    }
}
