using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Special;

namespace LoRA2.Native.Tensors.Cpu.Families;

internal readonly struct Expm1<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b)
    {
        T u = T.Exp(x);
        if (u == T.One) return x;
        T less = u - T.One;
        return less == -T.One || T.IsInfinity(u) ? less : less * x / T.Log(u);
    }
}

internal readonly struct Log1p<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b)
    {
        T u = T.One + x;
        return u == T.One ? x : T.IsInfinity(u) ? T.Log(u) : T.Log(u) * x / (u - T.One);
    }
}

internal readonly struct Rsqrt<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.One / T.Sqrt(x);
}

internal readonly struct Sign<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => x > T.Zero ? T.One : x < T.Zero ? -T.One : T.Zero;
}

internal readonly struct Sinh<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.Sinh(x);
}

internal readonly struct Cosh<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.Cosh(x);
}

internal readonly struct Asin<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.Asin(x);
}

internal readonly struct Acos<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.Acos(x);
}

internal readonly struct Atan<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.Atan(x);
}

internal readonly struct Asinh<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.Asinh(x);
}

internal readonly struct Acosh<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.Acosh(x);
}

internal readonly struct Atanh<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.Atanh(x);
}

internal readonly struct LogSigmoid<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.Min(x, T.Zero) - Log1p<T>.Invoke(T.Exp(-T.Abs(x)), a, b);
}

internal readonly struct Erfinv<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.CreateTruncating(ErrorFunction.Erfinv(double.CreateTruncating(x)));
}

internal readonly struct LogGamma<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.CreateTruncating(GammaFunction.LogGamma(double.CreateTruncating(x)));
}

internal readonly struct Polygamma<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.CreateTruncating(GammaFunction.Polygamma(int.CreateTruncating(a), double.CreateTruncating(x)));
}

internal readonly struct Softplus<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => x * a > b ? x : Log1p<T>.Invoke(T.Exp(x * a), a, b) / a;
}

internal readonly struct Elu<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => x <= T.Zero ? Expm1<T>.Invoke(x, a, b) * a : x * b;
}

internal readonly struct LeakyRelu<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => x > T.Zero ? x : x * a;
}

internal readonly struct Clamp<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.IsNaN(x) ? x : T.MinNumber(T.MaxNumber(x, a), b);
}

internal readonly struct HardSwish<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => x * T.Min(T.Max(x + T.CreateTruncating(3), T.Zero), T.CreateTruncating(6)) / T.CreateTruncating(6);
}

internal readonly struct PowerOf<T> : IScalarUnary<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Invoke(T x, T a, T b) => T.Pow(x, a);
}

internal readonly struct IsNaN<T> : IScalarUnary<T, bool>
    where T : unmanaged, INumberBase<T>
{
    public static bool Invoke(T x, T a, T b) => T.IsNaN(x);
}

internal readonly struct IsInfinite<T> : IScalarUnary<T, bool>
    where T : unmanaged, INumberBase<T>
{
    public static bool Invoke(T x, T a, T b) => T.IsInfinity(x);
}

internal readonly struct IsFinite<T> : IScalarUnary<T, bool>
    where T : unmanaged, INumberBase<T>
{
    public static bool Invoke(T x, T a, T b) => T.IsFinite(x);
}

internal readonly struct IsZero<T> : IScalarUnary<T, bool>
    where T : unmanaged, INumberBase<T>
{
    public static bool Invoke(T x, T a, T b) => T.IsZero(x);
}
