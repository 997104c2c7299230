using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>
/// ½ x (1 + tanh u) with u = √(2/π) (x + 0.044715 x³), which is x σ(2u) and loses no digits in that form. Beyond ±50 the sigmoid is 0 or 1, and u is not made any larger.
/// </summary>
internal readonly struct GeluTanh<T> : IActivation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>2 √(2/π).</summary>
    private const double Factor = 1.5957691216057307957;

    private const double Cubic = 0.044715;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T> => x * SigmoidGate.Of<TSimd, T>(Gate(x, out _));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x, TSimd dy)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd gate = Gate(x, out TSimd slope);
        return dy * SigmoidGate.Slope<TSimd, T>(x, gate, slope);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Gate<TSimd>(TSimd x, out TSimd slope)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd c = TSimd.Min(VectorMath.Constant<TSimd, T>(50), TSimd.Max(VectorMath.Constant<TSimd, T>(-50), x));
        TSimd square = c * c;
        slope = TSimd.MultiplyAdd(square, VectorMath.Constant<TSimd, T>(3 * Factor * Cubic), VectorMath.Constant<TSimd, T>(Factor));
        return c * TSimd.MultiplyAdd(square, VectorMath.Constant<TSimd, T>(Factor * Cubic), VectorMath.Constant<TSimd, T>(Factor));
    }
}
