using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>Rounding to bfloat16 in registers.</summary>
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
}
