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
    public Tensor On(Device device, int length) => made.TryGetValue((device, length), out Tensor? tensor) ? tensor : Add(device, length);

    private Tensor Add(Device device, int length)
    {
        device.Apart(() =>
        {
            using var scope = new TensorScope();
            made[(device, length)] = scope.Detach(make(length).To(device));
        });
        return made[(device, length)];
    }
}
