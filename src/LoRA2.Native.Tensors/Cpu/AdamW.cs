using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu;

/// <summary>
/// AdamW (Loshchilov and Hutter, arXiv 1711.05101) in PyTorch's order: w ← w (1 − η λ); m ← m + (1 − β₁)(g − m); v ← β₂ v + (1 − β₂) g²;
/// w ← w − η/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε).
/// </summary>
internal static unsafe class AdamW
{
    /// <summary>Updates the weights and both moments in place.</summary>
    public static void Step<T>(in AdamWStep settings, T* gradient, nint count, T* weights, T* firstMoment, T* secondMoment)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        SimdTask.Run<T, BlockTask<T>>(SimdTask.Parts(count), new(Constants<T>.From(settings), gradient, count, weights, firstMoment, secondMoment));

    private readonly record struct Constants<T>(
        T GradientScale, T Decay, T OneLessBeta1, T Beta2, T OneLessBeta2, T Correction2, T Epsilon, T NegativeStep)
        where T : unmanaged
    {
        public static Constants<T> From(in AdamWStep s) => new(
            VectorMath.Scalar<T>(s.GradientScale),
            VectorMath.Scalar<T>(1 - (s.LearningRate * s.WeightDecay)),
            VectorMath.Scalar<T>(1 - s.Beta1),
            VectorMath.Scalar<T>(s.Beta2),
            VectorMath.Scalar<T>(1 - s.Beta2),
            VectorMath.Scalar<T>(Math.Sqrt(1 - Math.Pow(s.Beta2, s.Step))),
            VectorMath.Scalar<T>(s.Epsilon),
            VectorMath.Scalar<T>(-s.LearningRate / (1 - Math.Pow(s.Beta1, s.Step))));
    }

    private readonly struct BlockTask<T>(Constants<T> constants, T* gradient, nint count, T* weights, T* firstMoment, T* secondMoment)
        : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint i = (nint)index * SimdTask.BlockElements;
            nint end = Math.Min(count, i + SimdTask.BlockElements);
            TSimd scale = TSimd.Create(constants.GradientScale);
            TSimd decay = TSimd.Create(constants.Decay);
            TSimd oneLessBeta1 = TSimd.Create(constants.OneLessBeta1);
            TSimd beta2 = TSimd.Create(constants.Beta2);
            TSimd oneLessBeta2 = TSimd.Create(constants.OneLessBeta2);
            TSimd correction2 = TSimd.Create(constants.Correction2);
            TSimd epsilon = TSimd.Create(constants.Epsilon);
            TSimd negativeStep = TSimd.Create(constants.NegativeStep);
            for (; i < end; i += TSimd.Count)
            {
                bool full = end - i >= TSimd.Count;
                int lanes = (int)Math.Min(TSimd.Count, end - i);
                TSimd g = full ? TSimd.Load(gradient + i) : TSimd.LoadPartial(gradient + i, lanes, default);
                TSimd w = full ? TSimd.Load(weights + i) : TSimd.LoadPartial(weights + i, lanes, default);
                TSimd m = full ? TSimd.Load(firstMoment + i) : TSimd.LoadPartial(firstMoment + i, lanes, default);
                TSimd v = full ? TSimd.Load(secondMoment + i) : TSimd.LoadPartial(secondMoment + i, lanes, default);
                g *= scale;
                w *= decay;
                m = TSimd.MultiplyAdd(oneLessBeta1, g - m, m);
                v = TSimd.MultiplyAdd(oneLessBeta2 * g, g, v * beta2);
                w = TSimd.MultiplyAdd(negativeStep, m / ((TSimd.Sqrt(v) / correction2) + epsilon), w);
                if (full)
                {
                    TSimd.Store(w, weights + i);
                    TSimd.Store(m, firstMoment + i);
                    TSimd.Store(v, secondMoment + i);
                }
                else
                {
                    TSimd.StorePartial(w, weights + i, lanes);
                    TSimd.StorePartial(m, firstMoment + i, lanes);
                    TSimd.StorePartial(v, secondMoment + i, lanes);
                }
            }
        }
    }
}
