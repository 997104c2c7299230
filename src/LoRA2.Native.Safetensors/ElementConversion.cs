using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LoRA2.Native.Safetensors;

/// <summary>
/// Converts elements as files hold them (little-endian bytes, no alignment asked) to and from float32 and int32.
/// Narrowing rounds to nearest, ties to even; a NaN stays a NaN.
/// </summary>
public static class ElementConversion
{
    /// <summary>Converts elements of F32, F16, BF16, F64, I32 or I64 to float32.</summary>
    /// <param name="dtype">The type of the elements in <paramref name="source"/>.</param>
    /// <param name="source">destination.Length × size of dtype bytes.</param>
    /// <param name="destination">The converted elements.</param>
    /// <exception cref="ArgumentException">The lengths do not agree.</exception>
    public static void ToFloat32(SafetensorsDType dtype, ReadOnlySpan<byte> source, Span<float> destination)
    {
        CheckLengths(dtype, source.Length, destination.Length);
        switch (dtype)
        {
            case SafetensorsDType.F32:
                source.CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            case SafetensorsDType.F16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), destination);
                break;
            case SafetensorsDType.BF16:
                WidenBFloat16(MemoryMarshal.Cast<byte, ushort>(source), destination);
                break;
            case SafetensorsDType.F64:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, double>(source), destination);
                break;
            case SafetensorsDType.I32:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, int>(source), destination);
                break;
            case SafetensorsDType.I64:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, long>(source), destination);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not an element type.");
        }
    }

    /// <summary>The index of the first element that is a NaN or an infinity, or −1.</summary>
    public static int IndexOfNonFinite(ReadOnlySpan<float> elements) => IndexOfFullExponent(MemoryMarshal.Cast<float, uint>(elements), 0x7F80_0000u);

    /// <summary>The index of the first element of F32, F16 or BF16 that is a NaN or an infinity, or −1.</summary>
    /// <param name="dtype">The type of the elements.</param>
    /// <param name="elements">Their bytes.</param>
    public static int IndexOfNonFinite(SafetensorsDType dtype, ReadOnlySpan<byte> elements) => dtype switch
    {
        SafetensorsDType.F32 => IndexOfNonFinite(MemoryMarshal.Cast<byte, float>(elements)),
        SafetensorsDType.F16 => IndexOfFullExponent(MemoryMarshal.Cast<byte, ushort>(elements), (ushort)0x7C00),
        SafetensorsDType.BF16 => IndexOfFullExponent(MemoryMarshal.Cast<byte, ushort>(elements), (ushort)0x7F80),
        _ => -1,
    };

    /// <summary>Converts float32 to elements of a floating-point type.</summary>
    /// <param name="source">The elements.</param>
    /// <param name="dtype">F32, F16, BF16 or F64.</param>
    /// <param name="destination">source.Length × size of dtype bytes.</param>
    /// <exception cref="ArgumentException">The lengths do not agree, or the type is an integer's.</exception>
    public static void FromFloat32(ReadOnlySpan<float> source, SafetensorsDType dtype, Span<byte> destination)
    {
        CheckLengths(dtype, destination.Length, source.Length);
        switch (dtype)
        {
            case SafetensorsDType.F32:
                MemoryMarshal.AsBytes(source).CopyTo(destination);
                break;
            case SafetensorsDType.F16:
                TensorPrimitives.ConvertToHalf(source, MemoryMarshal.Cast<byte, Half>(destination));
                break;
            case SafetensorsDType.BF16:
                NarrowBFloat16(source, MemoryMarshal.Cast<byte, ushort>(destination));
                break;
            case SafetensorsDType.F64:
                TensorPrimitives.ConvertTruncating(source, MemoryMarshal.Cast<byte, double>(destination));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Float32 is written as a floating-point type only.");
        }
    }

    /// <summary>Converts I32 or I64 elements to int.</summary>
    /// <exception cref="ArgumentException">The lengths do not agree, or the type is not an integer's.</exception>
    /// <exception cref="OverflowException">A number does not fit in 32 bits.</exception>
    public static void ToInt32(SafetensorsDType dtype, ReadOnlySpan<byte> source, Span<int> destination)
    {
        CheckLengths(dtype, source.Length, destination.Length);
        if (dtype == SafetensorsDType.I32)
            source.CopyTo(MemoryMarshal.AsBytes(destination));
        else if (dtype == SafetensorsDType.I64)
            TensorPrimitives.ConvertChecked(MemoryMarshal.Cast<byte, long>(source), destination);
        else
            throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Only integers are read as int.");
    }

    // A bfloat16 is the upper half of the float32 of the same value. Eight at a time; the remainder one by one.
    private static void WidenBFloat16(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        Span<uint> bits = MemoryMarshal.Cast<float, uint>(destination);
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= source.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            {
                (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.Create(source.Slice(i, Vector256<ushort>.Count)));
                (low << 16).CopyTo(bits[i..]);
                (high << 16).CopyTo(bits[(i + Vector256<uint>.Count)..]);
            }
        }
        for (; i < source.Length; i++) bits[i] = (uint)source[i] << 16;
    }

    private static void NarrowBFloat16(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(source);
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= source.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            {
                Vector256<uint> low = UpperHalf(Vector256.Create(bits.Slice(i, Vector256<uint>.Count)));
                Vector256<uint> high = UpperHalf(Vector256.Create(bits.Slice(i + Vector256<uint>.Count, Vector256<uint>.Count)));
                Vector256.Narrow(low, high).CopyTo(destination[i..]);
            }
        }
        for (; i < source.Length; i++)
        {
            uint b = bits[i];
            destination[i] = (ushort)(((b & 0x7FFF_FFFF) > 0x7F80_0000 ? b | 0x0040_0000 : b + 0x7FFF + ((b >> 16) & 1)) >> 16);
        }
    }

    // Adds just under half of the last kept place, one more when that place is odd: round to nearest even. A carry into the exponent is
    // right (up to infinity). A NaN would lose its payload to zero, or carry into the sign: it is made quiet instead.
    private static Vector256<uint> UpperHalf(Vector256<uint> bits)
    {
        Vector256<uint> rounded = bits + Vector256.Create(0x7FFFu) + ((bits >> 16) & Vector256<uint>.One);
        Vector256<uint> isNaN = Vector256.GreaterThan(bits & Vector256.Create(0x7FFF_FFFFu), Vector256.Create(0x7F80_0000u));
        return Vector256.ConditionalSelect(isNaN, bits | Vector256.Create(0x0040_0000u), rounded) >> 16;
    }

    private static void CheckLengths(SafetensorsDType dtype, int bytes, int elements)
    {
        if (bytes != (long)elements * dtype.Size())
            throw new ArgumentException(
                $"{bytes} bytes hold no {elements} elements of {dtype}: expected {(long)elements * dtype.Size()} bytes.");
    }

    /// <summary>An exponent of ones is what NaN and the infinities have in common.</summary>
    // Goes over a whole model once, as a process starts: compiled fully the first time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int IndexOfFullExponent<T>(ReadOnlySpan<T> bits, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        var mask = new Vector<T>(exponent);
        ref T first = ref MemoryMarshal.GetReference(bits);
        int i = 0, width = Vector<T>.Count;
        // Four at a time: one branch for them all.
        for (; i <= bits.Length - (4 * width); i += 4 * width)
        {
            Vector<T> full = Vector.Equals(Vector.LoadUnsafe(ref first, (nuint)i) & mask, mask) | Vector.Equals(Vector.LoadUnsafe(ref first, (nuint)(i + width)) & mask, mask)
                | Vector.Equals(Vector.LoadUnsafe(ref first, (nuint)(i + (2 * width))) & mask, mask) | Vector.Equals(Vector.LoadUnsafe(ref first, (nuint)(i + (3 * width))) & mask, mask);
            if (full != Vector<T>.Zero) break;
        }

        for (; i < bits.Length; i++)
        {
            if ((bits[i] & exponent) == exponent) return i;
        }

        return -1;
    }
}
