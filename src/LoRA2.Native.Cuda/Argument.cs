using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda;

/// <summary>One argument of a kernel: a number, or a tensor's address in the device's memory (0 for none).</summary>
internal readonly unsafe struct Argument
{
    private readonly ulong bits;

    private Argument(ulong bits) => this.bits = bits;

    public static implicit operator Argument(int value) => new((uint)value);

    public static implicit operator Argument(uint value) => new(value);

    public static implicit operator Argument(long value) => new((ulong)value);

    public static implicit operator Argument(ulong value) => new(value);

    public static implicit operator Argument(nint value) => new((ulong)value);

    public static implicit operator Argument(float value) => new(BitConverter.SingleToUInt32Bits(value));

    public static implicit operator Argument(double value) => new(BitConverter.DoubleToUInt64Bits(value));

    public static implicit operator Argument(Tensor? tensor) => new((ulong)(tensor is null ? null : tensor.Address));
}
