using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>y = max(x, 0), NaN kept; its gradient, from x or from the output, is dy where positive and 0 elsewhere (0 at 0).</summary>
internal static unsafe class Relu
{
    public static void Forward<T>(T* x, nint count, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Map.Unary(default(Value<T>), x, y, count);

    /// <summary>dx = (or +=) dy where x &gt; 0; <paramref name="x"/> may be the output instead.</summary>
    public static void Backward<T>(T* x, T* dy, nint count, T* dx, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Map.Binary(default(Gradient<T>), x, dy, dx, count, accumulate);

    private readonly struct Value<T> : IUnaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd x)
            where TSimd : unmanaged, ISimd<TSimd, T> => TSimd.Select(TSimd.LessThan(x, default), default, x);
    }

    private readonly struct Gradient<T> : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd x, TSimd dy)
            where TSimd : unmanaged, ISimd<TSimd, T> => TSimd.LessThan(default, x) & dy;
    }
}
