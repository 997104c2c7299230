using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>tanh x; with y its value, its gradient is dy (1 − y²).</summary>
internal readonly struct Tanh<T> : IActivation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T> => VectorMath.Tanh<TSimd, T>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x, TSimd dy)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd y = VectorMath.Tanh<TSimd, T>(x);
        return dy * (VectorMath.Constant<TSimd, T>(1) - (y * y));
    }
}
