using System.Runtime.InteropServices;
using LoRA2.Native.Cuda.Driver;

namespace LoRA2.Native.Cuda.Launching;

/// <summary>Where the launchers' kernels go: to the device's stream, or to what records.</summary>
internal sealed unsafe class KernelStarter(CudaDevice device, ICudaDriver driver, KernelLibrary library)
{
    /// <summary>Starts a kernel. Its argument number <paramref name="streamAt"/>, when not negative, is the stream of a dropout mask.</summary>
    public void Start(Kernel kernel, Grid3 grid, Grid3 block, ReadOnlySpan<Argument> arguments, int streamAt = -1)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<Argument, ulong>(arguments);
        if (device.Recorder is { } recorder)
        {
            recorder.Launch(kernel, grid, block, words, streamAt);
            return;
        }

        nint found = library.Find(kernel);
        fixed (ulong* first = words) driver.Launch(found, grid, block, kernel.DynamicSharedMemory, first, words.Length);
    }
}
