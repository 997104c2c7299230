using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Cuda.Launching;

/// <summary>A place in the device's memory, 0 for none: what a kernel takes for a tensor. No number becomes one by itself.</summary>
internal readonly unsafe record struct Address(nint Value)
{
    public static implicit operator Address(Tensor? tensor) => new(tensor is null ? 0 : (nint)tensor.Address);

    public static implicit operator Address(Storage? storage) => new(storage is null ? 0 : (nint)storage.Pointer);

    public static Address operator +(Address address, long bytes) => new(address.Value + (nint)bytes);
}
