using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>x σ(x); its gradient is dy σ(x) (1 + x (1 − σ(x))).</summary>
internal readonly struct Silu<T> : IActivation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T> => x * SigmoidGate.Of<TSimd, T>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x, TSimd dy)
        where TSimd : unmanaged, ISimd<TSimd, T> => dy * SigmoidGate.Slope<TSimd, T>(x, x, VectorMath.Constant<TSimd, T>(1));
}

/// <summary>What activations of the form x σ(g(x)) have in common.</summary>
internal static class SigmoidGate
{
    /// <summary>σ(g) = 1 / (1 + e^−g): both tails keep their digits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Of<TSimd, T>(TSimd g)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd one = VectorMath.Constant<TSimd, T>(1);
        return one / (one + VectorMath.Exp<TSimd, T>(default(TSimd) - g));
    }

    /// <summary>The derivative of x σ(g(x)), from x, g(x) and g′(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Slope<TSimd, T>(TSimd x, TSimd g, TSimd slope)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd s = Of<TSimd, T>(g);
        return TSimd.MultiplyAdd(x * (s * (VectorMath.Constant<TSimd, T>(1) - s)), slope, s);
    }
}
