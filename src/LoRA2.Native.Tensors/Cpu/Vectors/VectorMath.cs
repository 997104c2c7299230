using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Pointwise;

namespace LoRA2.Native.Tensors.Cpu.Vectors;

/// <summary>
/// Elementary functions of one register, branch-free. Errors, in units of the last place: exp 1, the normal distribution function 4
/// (relative, in both tails down to underflow), tanh 3. NaN gives NaN.
/// </summary>
internal static class VectorMath
{
    /// <summary>A constant in every lane, rounded to <typeparamref name="T"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Constant<TSimd, T>(double value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T> => TSimd.Create(Scalar<T>(value));

    /// <summary>The value rounded to <typeparamref name="T"/>, float or double.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Scalar<T>(double value)
        where T : unmanaged => typeof(T) == typeof(float) ? Unsafe.BitCast<float, T>((float)value) : Unsafe.BitCast<double, T>(value);

    /// <summary>The value widened to double.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Widen<T>(T value)
        where T : unmanaged => typeof(T) == typeof(float) ? Unsafe.BitCast<T, float>(value) : Unsafe.BitCast<T, double>(value);

    /// <summary>e^x. Underflows gradually to 0, overflows to infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Exp<TSimd, T>(TSimd x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T> =>
        ExpNotPositive<TSimd, T>(TSimd.Min(Constant<TSimd, T>(typeof(T) == typeof(float) ? 89 : 710), x));

    /// <summary>e^x of an x that is not above 0, −∞ among them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd ExpNotPositive<TSimd, T>(TSimd x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T> =>
        // The right operand of Min and Max is returned when it is NaN, so NaN passes through.
        ExpBounded<TSimd, T>(TSimd.Max(Constant<TSimd, T>(typeof(T) == typeof(float) ? -110 : -750), x));

    /// <summary>
    /// e^x of an x from −113 to 89 (float) or −760 to 710 (double). x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by its Taylor series to r^7 (float) or r^13 (double), then scaled
    /// by 2^n.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd ExpBounded<TSimd, T>(TSimd x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        bool single = typeof(T) == typeof(float);
        // Adding 1.5 · 2^23 (2^52) leaves no bits after the point: rounding without an instruction for it.
        TSimd whole = Constant<TSimd, T>(single ? 12582912 : 6755399441055744);
        TSimd n = (x * Constant<TSimd, T>(1.4426950408889634)) + whole - whole;
        TSimd r = TSimd.MultiplyAdd(n, Constant<TSimd, T>(single ? -0.693359375 : -0.693147180369123816490), x);
        r = TSimd.MultiplyAdd(n, Constant<TSimd, T>(single ? 2.12194440054690583e-4 : -1.90821492927058770002e-10), r);
        TSimd p;
        if (single)
        {
            p = Constant<TSimd, T>(1.0 / 5040);
        }
        else
        {
            p = Constant<TSimd, T>(1.0 / 6227020800);
            p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(1.0 / 479001600));
            p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(1.0 / 39916800));
            p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(1.0 / 3628800));
            p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(1.0 / 362880));
            p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(1.0 / 40320));
            p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(1.0 / 5040));
        }

        p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(1.0 / 720));
        p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(1.0 / 120));
        p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(1.0 / 24));
        p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(1.0 / 6));
        p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(0.5));
        p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(1));
        p = TSimd.MultiplyAdd(p, r, Constant<TSimd, T>(1));
        return TSimd.Scale(p, n);
    }

    /// <summary>
    /// Φ(x) = ½ (1 + erf(x / √2)), and e^(−x²/2), which the density shares. With t = |x|, Φ(−t) = e^(−t²/2) R(t), and (t + 4) R(t) is a
    /// polynomial in u = (t − 4)/(t + 4): Chebyshev interpolation, degree 9 on t ≤ 15 for float (1.4e-8 relative), 22 on t ≤ 39 for
    /// double (4e-17). Beyond those bounds Φ(−t) is 0 in the format. No tail loses digits to a subtraction from 1.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd NormalCdf<TSimd, T>(TSimd x, out TSimd exponential)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd one = Constant<TSimd, T>(1);
        TSimd t = TSimd.Min(Constant<TSimd, T>(typeof(T) == typeof(float) ? 15 : 39), TSimd.Abs(x));
        // The rounding error of t², put back to first order: e^(−(s + l)/2) = e^(−s/2) (1 − l/2).
        TSimd s = t * t;
        TSimd l = TSimd.MultiplyAdd(t, t, default(TSimd) - s);
        TSimd e = ExpBounded<TSimd, T>(s * Constant<TSimd, T>(-0.5));
        e = TSimd.MultiplyAdd(e, l * Constant<TSimd, T>(-0.5), e);
        exponential = e;

        TSimd q = TSimd.Reciprocal(t + Constant<TSimd, T>(4));
        TSimd u = TSimd.MultiplyAdd(q, Constant<TSimd, T>(-8), one);
        TSimd tail = e * (q * (typeof(T) == typeof(float) ? MillsSingle<TSimd, T>(u) : MillsDouble<TSimd, T>(u)));
        return TSimd.Select(TSimd.LessThan(x, default), tail, one - tail);
    }

    /// <summary>tanh x: an odd polynomial where |x| &lt; 0.625, 1 − 2 / (e^(2|x|) + 1) beyond.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Tanh<TSimd, T>(TSimd x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd one = Constant<TSimd, T>(1);
        TSimd t = TSimd.Abs(x);
        TSimd large = one - (Constant<TSimd, T>(2) / (Exp<TSimd, T>(t + t) + one));
        TSimd z = x * x;
        TSimd p;
        if (typeof(T) == typeof(float))
        {
            p = Constant<TSimd, T>(0.0022927448161781423431);
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(-0.008343945515839152048));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(0.021768918651028210152));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(-0.053959259577204542744));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(0.13333303556915741766));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(-0.33333333172140361638));
        }
        else
        {
            p = Constant<TSimd, T>(6.48516348279311315e-6);
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(-0.000031201101425797400033));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(0.000092571161295567682707));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(-0.00023759064960555619551));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(0.0005896606577757043347));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(-0.0014557754120478055104));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(0.0035921217511549622695));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(-0.008863235103240877925));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(0.021869488519008305756));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(-0.05396825396789699169));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(0.13333333333333041602));
            p = TSimd.MultiplyAdd(p, z, Constant<TSimd, T>(-0.33333333333333332938));
        }

        TSimd small = TSimd.MultiplyAdd(x * z, p, x);
        return TSimd.Select(TSimd.LessThan(t, Constant<TSimd, T>(0.625)), small, TSimd.CopySign(large, x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd MillsSingle<TSimd, T>(TSimd u)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd p = Constant<TSimd, T>(-0.000125558385602);
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(0.00018899651942));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(0.00156688168778));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-0.00352097282399));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-0.00752540241821));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(0.0604061855143));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-0.186523306758));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(0.38713668307));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-0.607896594145));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(0.755285138596));
        return p;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd MillsDouble<TSimd, T>(TSimd u)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd p = Constant<TSimd, T>(-9.6534254202285046694e-10);
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(7.2695454790266894559e-11));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(1.3924023993501710103e-8));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(1.4578593347036459717e-8));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-7.6380820534904503495e-8));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-1.5426320536771073947e-7));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(2.6368248576407625062e-7));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(1.0198048518135172659e-6));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-6.2513210404786801933e-7));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-5.9188927317632364472e-6));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(7.1500559592160986612e-7));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(0.00003514418115776097273));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-1.9078665316613574344e-6));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-0.00023109481831937621135));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(0.00013334425401904911618));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(0.0016308184418903595964));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-0.0034796923622425333441));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-0.0075401889655930590206));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(0.060396574890699464128));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-0.18652185795969416326));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(0.3871374007422188786));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(-0.60789664197189175887));
        p = TSimd.MultiplyAdd(p, u, Constant<TSimd, T>(0.75528513041575147989));
        return p;
    }
}
