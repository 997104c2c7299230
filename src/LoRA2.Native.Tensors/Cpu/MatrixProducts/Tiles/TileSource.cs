using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>How elements of a stored operand are read.</summary>
internal unsafe interface ITileSource<T>
    where T : unmanaged
{
    /// <summary>16 consecutive elements as floats.</summary>
    static abstract Vector512<float> Load(T* source);

    /// <summary>8 consecutive elements as floats.</summary>
    static abstract Vector256<float> Load8(T* source);
}

/// <summary>Float32 elements.</summary>
internal unsafe readonly struct FloatSource : ITileSource<float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load8(float* source) => Vector256.Load(source);
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load8(ushort* source)
    {
        (Vector128<uint> lower, Vector128<uint> upper) = Vector128.Widen(Vector128.Load(source));
        return (Vector256.Create(lower, upper) << 16).AsSingle();
    }
}
