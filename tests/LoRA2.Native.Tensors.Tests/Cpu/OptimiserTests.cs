using System.Numerics;
using LoRA2.Native.Tensors.Cpu;

namespace LoRA2.Native.Tensors.Tests.Cpu;

public sealed unsafe class OptimiserTests : KernelTest
{
    [Fact]
    public void AdamW_float() => Adam<float>();

    [Fact]
    public void AdamW_double() => Adam<double>();

    private static void Adam<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const double LearningRate = 1e-2, Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8, Decay = 0.1, Scale = 0.5;
        foreach (int n in Lengths)
        {
            double[] w = Random(n, n), m = new double[n], v = new double[n];
            double[][] gradients = Enumerable.Range(0, 20).Select(t => Random(n, n + t + 1)).ToArray();
            using var firstMoment = new GuardedArray<T>(n);
            using var secondMoment = new GuardedArray<T>(n);
            using var weights = SameForAnyThreads<T>(
                w,
                o =>
                {
                    firstMoment.Span.Clear();
                    secondMoment.Span.Clear();
                    for (int t = 1; t <= 20; t++)
                    {
                        using var g = Array<T>(gradients[t - 1]);
                        var settings = new AdamWStep(LearningRate, Beta1, Beta2, Epsilon, Decay, Scale, t);
                        AdamW.Step(settings, g.Pointer, n, o.Pointer, firstMoment.Pointer, secondMoment.Pointer);
                    }
                });
            for (int t = 1; t <= 20; t++)
            {
                for (int i = 0; i < n; i++)
                {
                    double g = Scale * gradients[t - 1][i];
                    w[i] *= 1 - (LearningRate * Decay);
                    m[i] = (Beta1 * m[i]) + ((1 - Beta1) * g);
                    v[i] = (Beta2 * v[i]) + ((1 - Beta2) * g * g);
                    double denominator = (Math.Sqrt(v[i]) / Math.Sqrt(1 - Math.Pow(Beta2, t))) + Epsilon;
                    w[i] -= LearningRate / (1 - Math.Pow(Beta1, t)) * m[i] / denominator;
                }
            }

            Close(w, weights, single: 2e-6);
            Close(m, firstMoment);
            Close(v, secondMoment);
        }
    }

    [Fact]
    public void Importance_float() => Importance<float>();

    [Fact]
    public void Importance_double() => Importance<double>();

    private static void Importance<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const double Beta1 = 0.85, Beta2 = 0.9;
        foreach (int n in Lengths)
        {
            double[] w = Random(n, n), g = Random(n, n + 1), average = Random(n, n + 2).Select(Math.Abs).ToArray();
            double[] spread = Random(n, n + 3).Select(Math.Abs).ToArray();
            using var weights = Array<T>(w);
            using var gradient = Array<T>(g);
            double[] newAverage = average.Select((a, i) => (Beta1 * a) + ((1 - Beta1) * Math.Abs(w[i] * g[i]))).ToArray();
            double[] newSpread = spread.Select((u, i) => (Beta2 * u) + ((1 - Beta2) * Math.Abs(Math.Abs(w[i] * g[i]) - newAverage[i]))).ToArray();
            using var a = new GuardedArray<T>(n);
            using var u = SameForAnyThreads<T>(
                spread,
                o =>
                {
                    average.Select(Of<T>).ToArray().CopyTo(a.Span);
                    ImportanceScore.Update(weights.Pointer, gradient.Pointer, Beta1, Beta2, n, a.Pointer, o.Pointer);
                });
            Close(newAverage, a);
            Close(newSpread, u);
            ImportanceScore.Score(a.Pointer, u.Pointer, n, u.Pointer);
            Close(newAverage.Zip(newSpread, (p, q) => p * q).ToArray(), u);
        }
    }
}
