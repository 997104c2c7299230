using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu;

/// <summary>
/// AdaLoRA's sensitivity of each weight (LoRA2's equations 6 and 7): I = |w g|; Ī ← β₁ Ī + (1 − β₁) I; Ū ← β₂ Ū + (1 − β₂) |I − Ī|, with
/// the new Ī; S = Ī Ū.
/// </summary>
internal static unsafe class ImportanceScore
{
    /// <summary>Updates Ī and Ū in place.</summary>
    public static void Update<T>(T* weights, T* gradient, double beta1, double beta2, nint count, T* sensitivity, T* uncertainty)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        UpdateTask<T> task = new(
            weights,
            gradient,
            VectorMath.Scalar<T>(beta1),
            VectorMath.Scalar<T>(1 - beta1),
            VectorMath.Scalar<T>(beta2),
            VectorMath.Scalar<T>(1 - beta2),
            count,
            sensitivity,
            uncertainty);
        SimdTask.Run<T, UpdateTask<T>>(SimdTask.Parts(count), task);
    }

    /// <summary>score = Ī Ū.</summary>
    public static void Score<T>(T* sensitivity, T* uncertainty, nint count, T* score)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Multiply(sensitivity, uncertainty, count, score);

    private readonly struct UpdateTask<T>(
        T* weights, T* gradient, T beta1, T oneLessBeta1, T beta2, T oneLessBeta2, nint count, T* sensitivity, T* uncertainty) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint i = (nint)index * SimdTask.BlockElements;
            nint end = Math.Min(count, i + SimdTask.BlockElements);
            for (; i < end; i += TSimd.Count)
            {
                int lanes = (int)Math.Min(TSimd.Count, end - i);
                TSimd importance = TSimd.Abs(
                    TSimd.LoadPartial(weights + i, lanes, default) * TSimd.LoadPartial(gradient + i, lanes, default));
                TSimd average = (TSimd.Create(beta1) * TSimd.LoadPartial(sensitivity + i, lanes, default))
                    + (TSimd.Create(oneLessBeta1) * importance);
                TSimd spread = (TSimd.Create(beta2) * TSimd.LoadPartial(uncertainty + i, lanes, default))
                    + (TSimd.Create(oneLessBeta2) * TSimd.Abs(importance - average));
                TSimd.StorePartial(average, sensitivity + i, lanes);
                TSimd.StorePartial(spread, uncertainty + i, lanes);
            }
        }
    }
}
