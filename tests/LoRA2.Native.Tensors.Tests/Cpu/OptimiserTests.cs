using System.Numerics;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Optimisers;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests.Cpu;

public sealed unsafe class OptimiserTests : KernelTest
{
    [Fact]
    public void AdamWFloat() => Adam<float>();

    [Fact]
    public void AdamWDouble() => Adam<double>();

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
                        double[] row = new double[AdamWStep.Columns];
                        new AdamWStep(LearningRate, Beta1, Beta2, Epsilon, Decay, 0, t).Write(row);
                        var parameter = new AdamWPointers<T>
                        {
                            Count = n,
                            Weights = o.Pointer,
                            Gradient = g.Pointer,
                            FirstMoment = firstMoment.Pointer,
                            SecondMoment = secondMoment.Pointer,
                            Constants = AdamWConstants<T>.From(row, Scale),
                        };
                        AdamW.Step(&parameter, 1);
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
    public void ImportanceFloat() => Importance<float>();

    [Fact]
    public void ImportanceDouble() => Importance<double>();

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
                    SensitivityUpdate.Run(weights.Pointer, gradient.Pointer, Beta1, Beta2, n, a.Pointer, o.Pointer);
                });
            Close(newAverage, a);
            Close(newSpread, u);
        }
    }

    /// <summary>Many parameters in one region, some of them scored: the bits that each gets by itself, its sensitivity updated afterwards.</summary>
    [Fact]
    public void ManyParametersTogetherGetTheBitsOfEachAlone()
    {
        Shape[] shapes = [[3], [0], [16384], [7, 5], [16384 + 9], [1], [50001]];
        foreach (DType[] types in (DType[][])[[DType.Float32], [DType.Float32, DType.Float64]])
        {
            using var scope = new TensorScope();
            AdamWParameter[] Parameters() => [.. shapes.Select((shape, i) =>
            {
                var source = new CaseSource(i);
                DType dtype = types[i % types.Length];
                Tensor Values() => source.Values(shape, requiresGrad: false).To(dtype);
                Tensor Positive()
                {
                    Tensor x = Values();
                    return Ops.Multiply(x, x);
                }

                Tensor value = Values(), gradient = Values();
                var parameter = new AdamWParameter(value, gradient, Values(), Positive(), i / 3);
                return i % 2 == 0 ? parameter with { Sensitivity = new Sensitivity(value, Positive(), Positive(), 0.85, 0.8) } : parameter;
            })];
            AdamWParameter[] together = Parameters(), alone = Parameters();
            Kernels kernels = together[0].Value.Device.Kernels;
            double[] rows = new double[3 * AdamWStep.Columns];
            for (int i = 0; i < 3; i++) new AdamWStep(0.01 * (1 + i), 0.9, 0.999, 1e-8, 0.1, 0.5, 3).Write(rows.AsSpan(i * AdamWStep.Columns));
            Tensor numbers = Tensor.From(rows, [3, AdamWStep.Columns]), squares = Tensor.Zeros([], DType.Float64);
            double SumOfSquares(params ReadOnlySpan<Tensor> tensors)
            {
                kernels.SumOfSquares(tensors, squares);
                return squares.Item();
            }

            SumOfSquares([.. together.Select(parameter => parameter.Gradient)]);
            Assert.InRange(squares.Item(), 1, double.MaxValue);
            kernels.AdamW(together, numbers, squares);
            foreach (AdamWParameter parameter in alone)
            {
                kernels.AdamW([parameter with { Sensitivity = null }], numbers, squares);
                if (parameter.Sensitivity is { } sensitivity) kernels.UpdateSensitivity(sensitivity, parameter.Gradient);
            }

            for (int i = 0; i < shapes.Length; i++)
            {
                Same(together[i].Value, alone[i].Value);
                Same(together[i].FirstMoment, alone[i].FirstMoment);
                Same(together[i].SecondMoment, alone[i].SecondMoment);
                if (together[i].Sensitivity is not { } sensitivity) continue;
                Same(sensitivity.Average, alone[i].Sensitivity!.Value.Average);
                Same(sensitivity.Uncertainty, alone[i].Sensitivity!.Value.Uncertainty);
            }

            Tensor[] gradients = [.. together.Select(parameter => parameter.Gradient)];
            double norm = 0;
            foreach (DType dtype in types) norm += gradients.Where(gradient => gradient.DType == dtype).Aggregate(0.0, (sum, gradient) => sum + SumOfSquares(gradient));
            Assert.Equal(norm, SumOfSquares(gradients));
        }
    }

    /// <summary>A gradient that is not finite changes nothing; without clipping by a norm, nothing is scaled.</summary>
    [Fact]
    public void NothingChangesWhenTheNormIsNotFinite()
    {
        using var scope = new TensorScope();
        double[] row = new double[AdamWStep.Columns];
        new AdamWStep(0.1, 0.9, 0.999, 1e-8, 0.1, 1, 1).Write(row);
        Tensor numbers = Tensor.From(row, [1, AdamWStep.Columns]);
        foreach (double squared in (double[])[double.NaN, double.PositiveInfinity])
        {
            Tensor value = Tensor.Full([5], 2), first = Tensor.Full([5], 3), second = Tensor.Full([5], 4);
            value.Device.Kernels.AdamW([new AdamWParameter(value, Tensor.Full([5], 1), first, second, 0, new Sensitivity(value, first, second, 0.5, 0.5))], numbers, Tensor.Scalar(squared, DType.Float64));
            Assert.Equal([2f, 3, 4], [value.ToArray<float>()[4], first.ToArray<float>()[4], second.ToArray<float>()[4]]);
        }
    }

    private static void Same(Tensor expected, Tensor actual)
    {
        using var scope = new TensorScope();
        Assert.Equal(expected.To(DType.Float64).ToArray<double>(), actual.To(DType.Float64).ToArray<double>());
    }
}
