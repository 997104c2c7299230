using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.Optimisers;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Cuda.Tests.Kernels;

/// <summary>AdamW and the sensitivities give the CPU's bits.</summary>
public sealed class OptimiserTests : KernelTest
{
    private static readonly AdamWStep First = new(1e-2, 0.9, 0.999, 1e-8, 0.1, 0.7, 1);
    private static readonly AdamWStep Other = First with { LearningRate = 2e-3, WeightDecay = 0, ClipNorm = 0 };

    [Fact]
    public void ManyParametersOfTwoGroupsForFiveSteps() => AssertUlps(0, side =>
    {
        int[] counts = [5, 0, 4099, 64, 8192, 1];
        var made = new List<Tensor>();
        Tensor Make(float[] values)
        {
            Tensor tensor = side.Of(values, values.Length);
            made.Add(tensor);
            return tensor;
        }

        var parameters = new List<AdamWParameter>();
        for (int i = 0; i < counts.Length; i++)
        {
            int n = counts[i];
            (Tensor value, Tensor gradient) = (Make(Normal(n, 10 * i)), Make(Normal(n, (10 * i) + 1)));
            Sensitivity? scored = i % 2 == 0 ? new Sensitivity(value, Make(new float[n]), Make(new float[n]), 0.85, 0.8) : null;
            parameters.Add(new AdamWParameter(value, gradient, Make(new float[n]), Make(new float[n]), i < 3 ? 0 : 1, scored));
        }

        for (int step = 1; step <= 5; step++)
        {
            double[] rows = new double[2 * AdamWStep.Columns];
            (First with { Step = step }).Write(rows);
            (Other with { Step = step }).Write(rows.AsSpan(AdamWStep.Columns));
            // The last two norms are not finite: they change nothing.
            double? squared = step switch { 1 => null, 2 => 1234.5, 3 => 1e-3, 4 => double.PositiveInfinity, _ => double.NaN };
            side.Kernels.AdamW(parameters.ToArray(), side.Of(rows, 2, AdamWStep.Columns), squared is { } sum ? side.Of([sum]) : null);
        }

        return [.. made];
    }, "five steps");

    [Fact]
    public void SoRAsThreshold()
    {
        foreach (int n in Counts)
        {
            foreach (bool released in (bool[])[false, true])
            {
                AssertUlps(0, side =>
                {
                    Tensor gates = side.Of([.. Normal(n, 1).Select((gate, i) => i % 7 == 3 ? 0.5f : gate)], n);
                    side.Kernels.Shrink(gates, 0.5, released);
                    return [gates];
                }, $"{n} gates, released {released}");
            }
        }
    }

    [Fact]
    public void ASensitivityByItself()
    {
        foreach (int n in Counts)
        {
            AssertUlps(0, side =>
            {
                (Tensor weight, Tensor average, Tensor uncertainty) = (side.Of(Normal(n, 1), n), side.Of(Normal(n, 2), n), side.Of(Normal(n, 3), n));
                side.Kernels.UpdateSensitivity(new Sensitivity(weight, average, uncertainty, 0.85, 0.8), side.Of(Normal(n, 4), n));
                return [average, uncertainty];
            }, $"{n} elements");
        }
    }
}
