using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>The exact gelu: x Φ(x), with Φ the normal distribution function. Its gradient is dy (Φ(x) + x φ(x)), φ the density.</summary>
internal readonly struct Gelu<T> : IActivation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T> => x * VectorMath.NormalCdf<TSimd, T>(x, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x, TSimd dy)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd cdf = VectorMath.NormalCdf<TSimd, T>(x, out TSimd exponential);
        TSimd density = exponential * VectorMath.Constant<TSimd, T>(0.39894228040143267794);
        return dy * TSimd.MultiplyAdd(x, density, cdf);
    }
}
