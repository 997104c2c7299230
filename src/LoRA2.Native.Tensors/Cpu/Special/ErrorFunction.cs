using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Special;

/// <summary>erf, erfc and the inverse of erf.</summary>
internal static unsafe class ErrorFunction
{
    /// <summary>2/√π times the coefficients of x^(2n+1) in erf's Taylor series, highest first.</summary>
    private static readonly double[] Taylor = [.. Coefficients(16)];

    /// <summary>erfc x = 2 Φ(−√2 x): no tail loses digits to a subtraction from 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Erfc<TSimd, T>(TSimd x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T> =>
        VectorMath.Constant<TSimd, T>(2) * VectorMath.NormalCdf<TSimd, T>(x * VectorMath.Constant<TSimd, T>(-1.41421356237309504880), out _);

    /// <summary>erf x: the Taylor series where |x| &lt; 0.75, 1 − erfc |x| with x's sign beyond.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Erf<TSimd, T>(TSimd x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd one = VectorMath.Constant<TSimd, T>(1);
        TSimd size = TSimd.Abs(x);
        TSimd z = x * x;
        TSimd p = VectorMath.Constant<TSimd, T>(Taylor[0]);
        for (int i = 1; i < Taylor.Length; i++) p = TSimd.MultiplyAdd(p, z, VectorMath.Constant<TSimd, T>(Taylor[i]));
        TSimd large = TSimd.CopySign(one - Erfc<TSimd, T>(size), x);
        return TSimd.Select(TSimd.LessThan(size, VectorMath.Constant<TSimd, T>(0.75)), p * x, large);
    }

    /// <summary>erf of one number.</summary>
    public static double Erf(double x) => First(Erf<Simd128<double>, double>(Simd128<double>.Create(x)));

    /// <summary>erfc of one number.</summary>
    public static double Erfc(double x) => First(Erfc<Simd128<double>, double>(Simd128<double>.Create(x)));

    /// <summary>The y of which x is erf: a rough guess and three steps of Halley's method, on erfc where x is near ±1.</summary>
    public static double Erfinv(double x)
    {
        if (double.IsNaN(x) || Math.Abs(x) > 1) return double.NaN;
        if (Math.Abs(x) == 1) return x * double.PositiveInfinity;
        // Winitzki's approximation, to about two digits.
        double log = Math.Log((1 - x) * (1 + x));
        double half = (2 / (Math.PI * 0.147)) + (log / 2);
        double y = Math.CopySign(Math.Sqrt(Math.Sqrt((half * half) - (log / 0.147)) - half), x);
        if (Math.Abs(x) < 1e-3) y = x * 0.88622692545275801365;
        for (int i = 0; i < 3; i++)
        {
            double error = Math.Abs(x) < 0.5 ? Erf(y) - x : Math.Sign(x) * ((1 - Math.Abs(x)) - Erfc(Math.Abs(y)));
            double step = error / (1.12837916709551257390 * Math.Exp(-y * y));
            y -= step / (1 + (y * step));
        }

        return y;
    }

    private static double First(Simd128<double> value)
    {
        double* lanes = stackalloc double[Simd128<double>.Count];
        Simd128<double>.Store(value, lanes);
        return lanes[0];
    }

    private static IEnumerable<double> Coefficients(int terms)
    {
        for (int n = terms - 1; n >= 0; n--)
        {
            double factorial = 1;
            for (int i = 2; i <= n; i++) factorial *= i;
            yield return (n % 2 == 0 ? 1 : -1) * 1.12837916709551257390 / (factorial * ((2 * n) + 1));
        }
    }
}

/// <summary>erf, lane by lane.</summary>
internal readonly struct Erf<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T> => ErrorFunction.Erf<TSimd, T>(x);
}

/// <summary>erfc, lane by lane.</summary>
internal readonly struct Erfc<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T> => ErrorFunction.Erfc<TSimd, T>(x);
}
