using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Optimisers;

/// <summary>One parameter's arrays and the numbers of its step.</summary>
internal unsafe struct AdamWPointers<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public nint Count;
    public T* Weights;
    public T* Gradient;
    public T* FirstMoment;
    public T* SecondMoment;

    /// <summary>Ī, or null for a parameter that is not scored.</summary>
    public T* Average;

    /// <summary>Ū.</summary>
    public T* Uncertainty;

    public AdamWConstants<T> Constants;

    public SensitivityDecay<T> Decay;
}

/// <summary>The numbers of a step as the kernel uses them.</summary>
internal readonly record struct AdamWConstants<T>(
    T GradientScale, T Decay, T OneLessBeta1, T Beta2, T OneLessBeta2, T Correction2, T Epsilon, T NegativeStep)
    where T : unmanaged
{
    /// <summary>The constants of a row that <see cref="AdamWStep.Write"/> wrote, with the factor of the gradients.</summary>
    public static AdamWConstants<T> From(ReadOnlySpan<double> row, double gradientScale) => new(
        VectorMath.Scalar<T>(gradientScale),
        VectorMath.Scalar<T>(row[0]),
        VectorMath.Scalar<T>(row[1]),
        VectorMath.Scalar<T>(row[2]),
        VectorMath.Scalar<T>(row[3]),
        VectorMath.Scalar<T>(row[4]),
        VectorMath.Scalar<T>(row[5]),
        VectorMath.Scalar<T>(row[6]));
}

/// <summary>
/// AdamW (Loshchilov and Hutter, arXiv 1711.05101) in PyTorch's order: w ← w (1 − η λ); m ← m + (1 − β₁)(g − m); v ← β₂ v + (1 − β₂) g²;
/// w ← w − η/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε). With the new w still in its register, and g as it was before clipping, a scored parameter's
/// sensitivity is updated.
/// </summary>
internal static unsafe class AdamW
{
    /// <summary>Updates the arrays of all parameters in place, in one region.</summary>
    public static void Step<T>(AdamWPointers<T>* parameters, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ManyParts parts = ManyParts.For(count);
        for (int i = 0; i < count; i++) parts.Add(i, parameters[i].Count);
        SimdTask.Run<T, BlockTask<T>>(parts.Total, new(parameters, parts));
    }

    private readonly struct BlockTask<T>(AdamWPointers<T>* parameters, ManyParts parts) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            AdamWPointers<T> p = parameters[parts.ArrayOf(index, out nint i)];
            nint end = Math.Min(p.Count, i + SimdTask.BlockElements);
            TSimd scale = TSimd.Create(p.Constants.GradientScale);
            TSimd decay = TSimd.Create(p.Constants.Decay);
            TSimd oneLessBeta1 = TSimd.Create(p.Constants.OneLessBeta1);
            TSimd beta2 = TSimd.Create(p.Constants.Beta2);
            TSimd oneLessBeta2 = TSimd.Create(p.Constants.OneLessBeta2);
            TSimd correction2 = TSimd.Create(p.Constants.Correction2);
            TSimd epsilon = TSimd.Create(p.Constants.Epsilon);
            TSimd negativeStep = TSimd.Create(p.Constants.NegativeStep);
            for (; i < end; i += TSimd.Count)
            {
                bool full = end - i >= TSimd.Count;
                int lanes = (int)Math.Min(TSimd.Count, end - i);
                TSimd gradient = full ? TSimd.Load(p.Gradient + i) : TSimd.LoadPartial(p.Gradient + i, lanes, default);
                TSimd w = full ? TSimd.Load(p.Weights + i) : TSimd.LoadPartial(p.Weights + i, lanes, default);
                TSimd m = full ? TSimd.Load(p.FirstMoment + i) : TSimd.LoadPartial(p.FirstMoment + i, lanes, default);
                TSimd v = full ? TSimd.Load(p.SecondMoment + i) : TSimd.LoadPartial(p.SecondMoment + i, lanes, default);
                TSimd g = gradient * scale;
                w *= decay;
                m = TSimd.MultiplyAdd(oneLessBeta1, g - m, m);
                v = TSimd.MultiplyAdd(oneLessBeta2 * g, g, v * beta2);
                w = TSimd.MultiplyAdd(negativeStep, m / ((TSimd.Sqrt(v) / correction2) + epsilon), w);
                if (full)
                {
                    TSimd.Store(w, p.Weights + i);
                    TSimd.Store(m, p.FirstMoment + i);
                    TSimd.Store(v, p.SecondMoment + i);
                }
                else
                {
                    TSimd.StorePartial(w, p.Weights + i, lanes);
                    TSimd.StorePartial(m, p.FirstMoment + i, lanes);
                    TSimd.StorePartial(v, p.SecondMoment + i, lanes);
                }

                if (p.Average != null) p.Decay.Update(w, gradient, p.Average + i, p.Uncertainty + i, lanes);
            }
        }
    }
}
