using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Cuda.Operations;

/// <summary>The kernels on an NVIDIA GPU. Tensors are Float32; ids, labels and masks Int32; frozen weights may be BFloat16.</summary>
internal sealed unsafe partial class CudaKernels(CudaDevice device, ICudaDriver driver, KernelLibrary library) : Kernels
{
    private readonly KernelLaunchers launch = new(new KernelStarter(device, driver, library));

    protected override string DeviceName => device.Name;

    /// <summary>Refuses what has no kernel here.</summary>
    private void RequireFloat32(string kernel, params ReadOnlySpan<Tensor?> tensors)
    {
        foreach (Tensor? tensor in tensors)
        {
            if (tensor is null) continue;
            RequireHere(kernel, tensor);
            if (tensor.DType != DType.Float32) throw new NotSupportedException($"{kernel}: tensor {tensor.Description} is {tensor.DType}; on {device.Name} it has to be Float32");
        }
    }

    /// <summary>Refuses what is not a number that counts in double.</summary>
    private void RequireFloat64(string kernel, params ReadOnlySpan<Tensor?> tensors)
    {
        foreach (Tensor? tensor in tensors)
        {
            if (tensor is null) continue;
            RequireHere(kernel, tensor);
            if (tensor.DType != DType.Float64) throw new NotSupportedException($"{kernel}: tensor {tensor.Description} is {tensor.DType}; Float64 is needed");
        }
    }

    /// <summary>Refuses ids, labels and masks that are not Int32.</summary>
    private void RequireInt32(string kernel, Tensor tensor)
    {
        RequireHere(kernel, tensor);
        if (tensor.DType != DType.Int32) throw new NotSupportedException($"{kernel}: tensor {tensor.Description} is {tensor.DType}; Int32 is needed");
    }

    private void RequireHere(string kernel, Tensor tensor)
    {
        if (tensor.Device != device) throw new InvalidOperationException($"{kernel}: tensor {tensor.Description} is on {tensor.Device.Name}, not on {device.Name}");
    }
}
