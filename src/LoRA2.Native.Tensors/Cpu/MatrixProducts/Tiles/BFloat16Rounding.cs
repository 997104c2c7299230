using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>Rounding to bfloat16 in registers; the same bits in those of any width.</summary>
internal static class BFloat16Rounding
{
    /// <summary>
    /// The bfloat16 nearest to each float, ties to even, in the upper half of its bits; the lower half is unspecified. NaN stays NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Nearest(Vector512<float> value)
    {
        Vector512<uint> bits = value.AsUInt32();
        Vector512<uint> rounded = bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One);
        return Vector512.ConditionalSelect(Vector512.Equals(value, value).AsUInt32(), rounded, bits | Vector512.Create(0x400000u));
    }

    /// <inheritdoc cref="Nearest(Vector512{float})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Nearest(Vector256<float> value)
    {
        Vector256<uint> bits = value.AsUInt32();
        Vector256<uint> rounded = bits + Vector256.Create(0x7FFFu) + ((bits >>> 16) & Vector256<uint>.One);
        return Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), rounded, bits | Vector256.Create(0x400000u));
    }

    /// <summary>The nearest bfloat16, as a float.</summary>
    /// <typeparam name="TSimd">512 or 256 bits.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Rounded<TSimd>(TSimd value)
        where TSimd : unmanaged, Vectors.ISimd<TSimd, float> => typeof(TSimd) == typeof(Vectors.Simd512<float>)
        ? Unsafe.BitCast<Vector512<uint>, TSimd>(Nearest(Unsafe.BitCast<TSimd, Vector512<float>>(value)) & Vector512.Create(0xFFFF0000u))
        : Unsafe.BitCast<Vector256<uint>, TSimd>(Nearest(Unsafe.BitCast<TSimd, Vector256<float>>(value)) & Vector256.Create(0xFFFF0000u));
}
