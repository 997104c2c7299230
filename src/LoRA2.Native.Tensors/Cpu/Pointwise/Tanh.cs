using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>y = tanh x; its gradient, from the output, is dy (1 − y²).</summary>
internal static unsafe class Tanh
{
    public static void Forward<T>(T* x, nint count, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Map.Unary(default(Value<T>), x, y, count);

    /// <summary>dx = (or +=) dy · (1 − y²).</summary>
    public static void Backward<T>(T* y, T* dy, nint count, T* dx, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Map.Binary(default(Gradient<T>), y, dy, dx, count, accumulate);

    private readonly struct Value<T> : IUnaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd x)
            where TSimd : unmanaged, ISimd<TSimd, T> => VectorMath.Tanh<TSimd, T>(x);
    }

    private readonly struct Gradient<T> : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd y, TSimd dy)
            where TSimd : unmanaged, ISimd<TSimd, T> => dy * (VectorMath.Constant<TSimd, T>(1) - (y * y));
    }
}
