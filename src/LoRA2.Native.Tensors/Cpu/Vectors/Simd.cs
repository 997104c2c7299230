using System.Numerics;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Vectors;

/// <summary>
/// One register of <typeparamref name="T"/> lanes (float or double). Kernels are written once over this interface and compiled for the
/// widest register the processor has: <see cref="Simd512{T}"/>, <see cref="Simd256{T}"/> or <see cref="Simd128{T}"/>.
/// Comparisons give a register of all-ones and all-zeros lanes, for <see cref="Select"/>.
/// </summary>
internal unsafe interface ISimd<TSelf, T>
    where TSelf : unmanaged, ISimd<TSelf, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Lanes in a register.</summary>
    static abstract int Count { get; }

    static abstract TSelf Create(T value);

    static abstract TSelf Load(T* source);

    /// <summary>Loads the first <paramref name="count"/> (0 … Count) elements; the other lanes hold <paramref name="fill"/>.</summary>
    static abstract TSelf LoadPartial(T* source, int count, TSelf fill);

    /// <summary>The first <paramref name="count"/> lanes are all ones, the others zero.</summary>
    static abstract TSelf FirstLanes(int count);

    /// <summary>A lane is all ones where the integer is not zero.</summary>
    static abstract TSelf LoadMask(int* source);

    /// <summary><see cref="LoadMask"/> of the first <paramref name="count"/> integers; the other lanes are zero.</summary>
    static abstract TSelf LoadMaskPartial(int* source, int count);

    /// <summary>A lane is all ones where the integer is at least <paramref name="threshold"/>.</summary>
    static abstract TSelf LoadAtLeast(uint* source, uint threshold);

    static abstract void Store(TSelf value, T* destination);

    static abstract void StorePartial(TSelf value, T* destination, int count);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    static abstract TSelf operator &(TSelf left, TSelf right);

    /// <summary>a · b + c, fused where the processor can.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    static abstract TSelf Abs(TSelf value);

    static abstract TSelf Sqrt(TSelf value);

    /// <summary>1 / value of a value from 4 to 20, rounded as a division rounds it; one unit of the last place off where the fraction is ones alone.</summary>
    static abstract TSelf Reciprocal(TSelf value);

    /// <summary>The smaller; the right operand when either is NaN (on x86).</summary>
    static abstract TSelf Min(TSelf left, TSelf right);

    /// <summary>The larger; the right operand when either is NaN (on x86).</summary>
    static abstract TSelf Max(TSelf left, TSelf right);

    /// <summary>Rounds to the nearest integer, ties to even.</summary>
    static abstract TSelf Round(TSelf value);

    /// <summary>value · 2^exponent for integral exponents within ±2 × the format's range.</summary>
    static abstract TSelf Scale(TSelf value, TSelf exponent);

    static abstract TSelf LessThan(TSelf left, TSelf right);

    static abstract TSelf Select(TSelf mask, TSelf ifSet, TSelf ifClear);

    /// <summary><paramref name="magnitude"/> with the sign of <paramref name="sign"/>.</summary>
    static abstract TSelf CopySign(TSelf magnitude, TSelf sign);

    /// <summary>The sum of the lanes, in a fixed order.</summary>
    static abstract T Sum(TSelf value);

    /// <summary>The largest lane.</summary>
    static abstract T Largest(TSelf value);
}
