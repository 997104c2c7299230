namespace LoRA2.Native.Cuda.Launching;

/// <summary>One argument as the driver takes it: 8 bytes, of which the kernel reads as many as its parameter has. Only the generated launchers make it.</summary>
internal readonly struct Argument
{
    private readonly ulong bits;

    private Argument(ulong bits) => this.bits = bits;

    public static implicit operator Argument(Address value) => new((ulong)value.Value);

    public static implicit operator Argument(Natural value) => new(value.Value);

    public static implicit operator Argument(MaskStream value) => new(value.Value);

    public static implicit operator Argument(int value) => new((uint)value);

    public static implicit operator Argument(long value) => new((ulong)value);

    public static implicit operator Argument(ulong value) => new(value);

    public static implicit operator Argument(float value) => new(BitConverter.SingleToUInt32Bits(value));

    public static implicit operator Argument(double value) => new(BitConverter.DoubleToUInt64Bits(value));
}
