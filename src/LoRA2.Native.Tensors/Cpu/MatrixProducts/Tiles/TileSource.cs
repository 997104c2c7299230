using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>How elements of a stored operand are read.</summary>
internal unsafe interface ITileSource<T>
    where T : unmanaged
{
    /// <summary>16 consecutive elements as floats.</summary>
    static abstract Vector512<float> Load(T* source);
}

/// <summary>Float32 elements.</summary>
internal unsafe readonly struct FloatSource : ITileSource<float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);
}

/// <summary>Bfloat16 elements: the upper halves of floats.</summary>
internal unsafe readonly struct BFloat16Source : ITileSource<ushort>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ushort* source)
    {
        (Vector256<uint> lower, Vector256<uint> upper) = Vector256.Widen(Vector256.Load(source));
        return (Vector512.Create(lower, upper) << 16).AsSingle();
    }
}
