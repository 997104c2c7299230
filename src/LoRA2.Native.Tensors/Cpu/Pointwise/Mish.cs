using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>
/// x tanh(ln(1 + e^x)). With e = e^x and n = e (e + 2) the tanh is n / (n + 2), of which no digits are lost in either tail; beyond 20 it is 1. The derivative is
/// n / (n + 2) + 4 x σ(x) (n + 1) / (n + 2)², NaN at infinity as in PyTorch.
/// </summary>
internal readonly struct Mish<T> : IActivation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd n = Numerator(x, out _, out _);
        return x * (n / (n + VectorMath.Constant<TSimd, T>(2)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x, TSimd dy)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd one = VectorMath.Constant<TSimd, T>(1), n = Numerator(x, out TSimd e, out TSimd bounded);
        TSimd inverse = one / (n + VectorMath.Constant<TSimd, T>(2));
        TSimd sigmoid = e / (one + e);
        TSimd curve = VectorMath.Constant<TSimd, T>(4) * (n + one) * inverse * inverse;
        TSimd slope = TSimd.MultiplyAdd(bounded * sigmoid, curve, n * inverse);
        return dy * TSimd.Select(TSimd.LessThan(x, TSimd.Create(T.PositiveInfinity)), slope, x - x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Numerator<TSimd>(TSimd x, out TSimd e, out TSimd bounded)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        bounded = TSimd.Min(VectorMath.Constant<TSimd, T>(20), x);
        e = VectorMath.Exp<TSimd, T>(bounded);
        return e * (e + VectorMath.Constant<TSimd, T>(2));
    }
}
