using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>max(x, 0), NaN kept; its gradient is dy where x is positive or NaN, and 0 elsewhere (0 at 0).</summary>
internal readonly struct Relu<T> : IActivation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T> => TSimd.Select(TSimd.LessThan(x, default), default, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x, TSimd dy)
        where TSimd : unmanaged, ISimd<TSimd, T> =>
        TSimd.Select(TSimd.LessThan(default, x), dy, TSimd.Select(TSimd.LessThan(x, VectorMath.Constant<TSimd, T>(1)), default, dy));
}
