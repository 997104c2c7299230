using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>
/// The gelu within 1.9e-4 (<see cref="Error"/>), for products in 8 bits, whose own rounding is some hundred times that: ½ x (1 + t P(t²)), t being x cut to ±4, and t P(t²) the least-squares fit of erf(t / √2), reweighted
/// to even its errors out, that is 1 at 4. No exponential and no division: a third of <see cref="Gelu{T}"/>'s time.
/// </summary>
internal readonly struct CoarseGelu<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The most by which it is off, beside some roundings of x.</summary>
    public const double Error = 1.9e-4;

    private const double Bound = 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        // The right operand of Min and Max is returned when it is NaN, so NaN passes through.
        TSimd t = TSimd.Max(VectorMath.Constant<TSimd, T>(-Bound), TSimd.Min(VectorMath.Constant<TSimd, T>(Bound), x));
        TSimd z = t * t, half = x * VectorMath.Constant<TSimd, T>(0.5);
        TSimd p = VectorMath.Constant<TSimd, T>(4.5285832311589426e-08);
        p = TSimd.MultiplyAdd(p, z, VectorMath.Constant<TSimd, T>(-3.183947056666599e-06));
        p = TSimd.MultiplyAdd(p, z, VectorMath.Constant<TSimd, T>(9.567031614759802e-05));
        p = TSimd.MultiplyAdd(p, z, VectorMath.Constant<TSimd, T>(-0.0016259802315930943));
        p = TSimd.MultiplyAdd(p, z, VectorMath.Constant<TSimd, T>(0.01753667349880524));
        p = TSimd.MultiplyAdd(p, z, VectorMath.Constant<TSimd, T>(-0.12913424289009354));
        p = TSimd.MultiplyAdd(p, z, VectorMath.Constant<TSimd, T>(0.7957649385636066));
        return TSimd.MultiplyAdd(half, t * p, half);
    }
}
