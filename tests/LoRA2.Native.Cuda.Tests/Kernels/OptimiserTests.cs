using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda.Tests.Kernels;

/// <summary>AdamW and the sensitivities give the CPU's bits.</summary>
public sealed class OptimiserTests : KernelTest
{
    private static readonly AdamWStep First = new(1e-2, 0.9, 0.999, 1e-8, 0.1, 0.7, 1);

    [Fact]
    public void ManyParametersOfTwoGroupsForThreeSteps() => AssertUlps(0, side =>
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
            parameters.Add(new AdamWParameter(value, gradient, Make(new float[n]), Make(new float[n]), First, scored));
        }

        for (int step = 1; step <= 3; step++)
        {
            for (int i = 0; i < parameters.Count; i++)
                parameters[i] = parameters[i] with { Step = First with { Step = step, LearningRate = i < 3 ? 1e-2 : 2e-3, WeightDecay = i < 3 ? 0.1 : 0 } };
            side.Kernels.AdamW(parameters.ToArray());
        }

        return [.. made];
    }, "three steps");

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
