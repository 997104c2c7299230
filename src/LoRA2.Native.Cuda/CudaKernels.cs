using System.Runtime.InteropServices;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Cuda;

/// <summary>The kernels on an NVIDIA GPU. Tensors are Float32; ids, labels and masks Int32; frozen weights may be BFloat16.</summary>
internal sealed unsafe partial class CudaKernels(CudaDevice device, ICudaDriver driver) : Kernels
{
    /// <summary>What the driver has compiled.</summary>
    public KernelLibrary Library { get; } = new(driver);

    /// <summary>Starts the kernel called "family.name", of static shared memory.</summary>
    private void Launch(string kernel, Grid3 grid, Grid3 block, params ReadOnlySpan<Argument> arguments) => Launch(kernel, grid, block, 0, arguments);

    /// <summary>Starts a kernel that draws a dropout mask, when its probability is not 0: argument number <paramref name="streamAt"/> is the mask's stream.</summary>
    private void Launch(string kernel, Grid3 grid, Grid3 block, in DropoutMask mask, int streamAt, params ReadOnlySpan<Argument> arguments) =>
        Launch(kernel, grid, block, 0, arguments, mask.Probability > 0 ? streamAt : -1);

    /// <summary>Starts the kernel called "family.name". One kernel always asks for the same dynamic shared memory.</summary>
    private void Launch(string kernel, Grid3 grid, Grid3 block, int sharedMemory, ReadOnlySpan<Argument> arguments, int streamAt = -1)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<Argument, ulong>(arguments);
        if (device.Recorder is { } recorder)
        {
            recorder.Launch(kernel, grid, block, sharedMemory, words, streamAt);
            return;
        }

        nint found = Library.Find(kernel, sharedMemory);
        fixed (ulong* first = words) driver.Launch(found, grid, block, sharedMemory, first, words.Length);
    }

    /// <summary>Where a tensor that may be null is; 0 for none.</summary>
    private static nint AddressOf(Tensor? tensor) => tensor is null ? 0 : (nint)tensor.Address;

    /// <summary>Refuses what has no kernel here.</summary>
    private void RequireFloat32(string kernel, params ReadOnlySpan<Tensor?> tensors)
    {
        foreach (Tensor? tensor in tensors)
        {
            if (tensor is null) continue;
            RequireHere(kernel, tensor);
            if (tensor.DType != DType.Float32) throw new NotSupportedException($"{kernel}: tensor {tensor} is {tensor.DType}; on {device.Name} it has to be Float32");
        }
    }

    /// <summary>Refuses what is not a number that counts in double.</summary>
    private void RequireFloat64(string kernel, params ReadOnlySpan<Tensor?> tensors)
    {
        foreach (Tensor? tensor in tensors)
        {
            if (tensor is null) continue;
            RequireHere(kernel, tensor);
            if (tensor.DType != DType.Float64) throw new NotSupportedException($"{kernel}: tensor {tensor} is {tensor.DType}; Float64 is needed");
        }
    }

    /// <summary>Refuses ids, labels and masks that are not Int32.</summary>
    private void RequireInt32(string kernel, Tensor tensor)
    {
        RequireHere(kernel, tensor);
        if (tensor.DType != DType.Int32) throw new NotSupportedException($"{kernel}: tensor {tensor} is {tensor.DType}; Int32 is needed");
    }

    private void RequireHere(string kernel, Tensor tensor)
    {
        if (tensor.Device != device) throw new InvalidOperationException($"{kernel}: tensor {tensor} is on {tensor.Device.Name}, not on {device.Name}");
    }
}
