using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>x σ(1.702 x).</summary>
internal readonly struct QuickGelu<T> : IActivation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const double Factor = 1.702;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T> => x * SigmoidGate.Of<TSimd, T>(x * VectorMath.Constant<TSimd, T>(Factor));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TSimd Invoke<TSimd>(TSimd x, TSimd dy)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd factor = VectorMath.Constant<TSimd, T>(Factor);
        return dy * SigmoidGate.Slope<TSimd, T>(x, x * factor, factor);
    }
}
