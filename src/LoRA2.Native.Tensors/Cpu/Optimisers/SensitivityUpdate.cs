using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Optimisers;

/// <summary>β₁ and β₂ of a <see cref="Sensitivity"/>, and its update of one register.</summary>
internal readonly unsafe struct SensitivityDecay<T>(double beta1, double beta2)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T beta1 = VectorMath.Scalar<T>(beta1);
    private readonly T oneLessBeta1 = VectorMath.Scalar<T>(1 - beta1);
    private readonly T beta2 = VectorMath.Scalar<T>(beta2);
    private readonly T oneLessBeta2 = VectorMath.Scalar<T>(1 - beta2);

    /// <summary>Updates the first <paramref name="lanes"/> elements of Ī and Ū.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<TSimd>(TSimd weight, TSimd gradient, T* average, T* uncertainty, int lanes)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd importance = TSimd.Abs(weight * gradient);
        TSimd mean = (TSimd.Create(beta1) * TSimd.LoadPartial(average, lanes, default)) + (TSimd.Create(oneLessBeta1) * importance);
        TSimd spread = (TSimd.Create(beta2) * TSimd.LoadPartial(uncertainty, lanes, default)) + (TSimd.Create(oneLessBeta2) * TSimd.Abs(importance - mean));
        TSimd.StorePartial(mean, average, lanes);
        TSimd.StorePartial(spread, uncertainty, lanes);
    }
}

/// <summary>The update of a <see cref="Sensitivity"/> apart from an optimiser's step.</summary>
internal static unsafe class SensitivityUpdate
{
    /// <summary>Updates Ī and Ū in place.</summary>
    public static void Run<T>(T* weights, T* gradient, double beta1, double beta2, nint count, T* average, T* uncertainty)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        SimdTask.Run<T, UpdateTask<T>>(SimdTask.Parts(count), new(weights, gradient, new(beta1, beta2), count, average, uncertainty));

    private readonly struct UpdateTask<T>(T* weights, T* gradient, SensitivityDecay<T> decay, nint count, T* average, T* uncertainty) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint i = (nint)index * SimdTask.BlockElements;
            nint end = Math.Min(count, i + SimdTask.BlockElements);
            for (; i < end; i += TSimd.Count)
            {
                int lanes = (int)Math.Min(TSimd.Count, end - i);
                decay.Update(TSimd.LoadPartial(weights + i, lanes, default), TSimd.LoadPartial(gradient + i, lanes, default), average + i, uncertainty + i, lanes);
            }
        }
    }
}
