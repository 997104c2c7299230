using System.Collections.Concurrent;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>A constant tensor that a batch's length alone decides: made once for each length and device, and kept.</summary>
internal sealed class ByLength(Func<int, Tensor> make)
{
    private readonly ConcurrentDictionary<(Device Device, int Length), Tensor> made = [];

    /// <summary>The tensor, which belongs to no scope.</summary>
    public Tensor On(Device device, int length)
    {
        if (!made.TryGetValue((device, length), out Tensor? tensor)) device.Apart(() => tensor = made[(device, length)] = Made(device, length));
        return tensor!;
    }

    private Tensor Made(Device device, int length)
    {
        using var scope = new TensorScope();
        return scope.Detach(make(length).To(device));
    }
}
