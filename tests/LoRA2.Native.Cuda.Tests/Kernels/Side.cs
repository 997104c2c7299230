using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using Backend = LoRA2.Native.Tensors.Devices.Kernels;

namespace LoRA2.Native.Cuda.Tests.Kernels;

/// <summary>One of the two devices that a test runs the same kernel on.</summary>
internal sealed class Side(Device device, bool shifted)
{
    public Device Device => device;

    public Backend Kernels => device.Kernels;

    /// <summary>A tensor of the values; on a shifted side its address is no multiple of 16, so that kernels take its elements one by one.</summary>
    public Tensor Of<T>(T[] values, params int[] shape)
        where T : unmanaged
    {
        if (!shifted) return Tensor.From(values, new Shape(shape)).To(device);
        Tensor longer = Tensor.From([default, .. values], new Shape(values.Length + 1)).To(device);
        return Ops.Reshape(Ops.Slice(longer, 0, 1, values.Length), shape);
    }

    /// <summary>A tensor of NaN, so that what a kernel leaves unset is found.</summary>
    public Tensor Unset(params int[] shape) => Of(Enumerable.Repeat(float.NaN, new Shape(shape).Elements).ToArray(), shape);
}
