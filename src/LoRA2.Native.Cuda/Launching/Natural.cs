namespace LoRA2.Native.Cuda.Launching;

/// <summary>A whole number of 32 bits without sign, as kernels take counts, which the host keeps as int.</summary>
internal readonly record struct Natural(uint Value)
{
    /// <exception cref="OverflowException">The number is negative.</exception>
    public static implicit operator Natural(int value) => new(checked((uint)value));

    public static implicit operator Natural(uint value) => new(value);
}
