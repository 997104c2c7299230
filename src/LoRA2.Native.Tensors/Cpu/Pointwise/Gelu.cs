using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>The exact gelu: x Φ(x), with Φ the normal distribution function. Its gradient is dy (Φ(x) + x φ(x)), φ the density.</summary>
internal static unsafe class Gelu
{
    public static void Forward<T>(T* x, nint count, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Map.Unary(default(Value<T>), x, y, count);

    /// <summary>dx = (or +=) dy · gelu′(x).</summary>
    public static void Backward<T>(T* x, T* dy, nint count, T* dx, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Map.Binary(default(Gradient<T>), x, dy, dx, count, accumulate);

    /// <summary>gelu(x) in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Of<TSimd, T>(TSimd x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T> => x * VectorMath.NormalCdf<TSimd, T>(x, out _);

    private readonly struct Value<T> : IUnaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd x)
            where TSimd : unmanaged, ISimd<TSimd, T> => Of<TSimd, T>(x);
    }

    private readonly struct Gradient<T> : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd x, TSimd dy)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            TSimd cdf = VectorMath.NormalCdf<TSimd, T>(x, out TSimd exponential);
            TSimd density = exponential * VectorMath.Constant<TSimd, T>(0.39894228040143267794);
            return dy * TSimd.MultiplyAdd(x, density, cdf);
        }
    }
}
