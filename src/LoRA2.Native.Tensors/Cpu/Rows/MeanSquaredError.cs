using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>The mean of (x − target)² over all elements; 0 when there are none.</summary>
internal static unsafe class MeanSquaredError
{
    /// <summary>The loss.</summary>
    public static double Forward<T>(T* x, T* target, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        count == 0 ? 0 : Reduction.SumOfSquaredDifferences(x, target, count) / count;

    /// <summary>gradient = (or +=) upstream · 2 (x − target) / count.</summary>
    public static void Backward<T>(T* x, T* target, T upstream, nint count, T* gradient, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T scale = T.CreateTruncating(2) * upstream / T.CreateTruncating(Math.Max(1, count));
        Map.Binary(new ScaledDifference<T>(scale), x, target, gradient, count, accumulate);
    }

    private readonly struct ScaledDifference<T>(T scale) : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd x, TSimd y)
            where TSimd : unmanaged, ISimd<TSimd, T> => TSimd.Create(scale) * (x - y);
    }
}
