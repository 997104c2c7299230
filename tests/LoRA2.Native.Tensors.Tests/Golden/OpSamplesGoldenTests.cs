using Xunit.Abstractions;

namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>
/// Every op gives the outputs and gradients of PyTorch's own samples. They are read from the folder that LORA2_GOLDEN names, or from shared/golden; where there is neither, the small subset in
/// tests/Fixtures is run.
/// </summary>
public sealed class OpSamplesGoldenTests(ITestOutputHelper output)
{
    private const int LeastOps = 180;

    [Fact]
    public void EverySampleOfEveryOpGivesPyTorchsNumbersInDouble() => Run(DType.Float64, 1e-10, prints: true);

    [Fact]
    public void EverySampleOfEveryOpGivesPyTorchsNumbersInSingle() => Run(DType.Float32, 1e-5, prints: false);

    private void Run(DType type, double tolerance, bool prints)
    {
        (int ops, int there, int samples) = (0, 0, 0);
        var problems = new List<string>();
        var missing = new List<string>();
        foreach ((string op, IReadOnlyList<OpSample> all) in OpSamples.All())
        {
            ops++;
            if (!OpTable.All.TryGetValue(op, out Func<OpCall, Tensor[]>? call))
            {
                missing.Add(op);
                continue;
            }

            there++;
            foreach (OpSample sample in all)
            {
                samples++;
                if (OpSampleRun.Problem(sample, call, type, tolerance) is not { } problem) continue;
                if (type == DType.Float32 && OpSampleRun.IsIllConditioned(sample, call, tolerance)) output.WriteLine($"ill-conditioned for single precision: {sample}: {problem}");
                else problems.Add($"{sample}: {problem}");
            }
        }

        string line = $"op samples: {there} of {ops} ops, {samples} samples, {problems.Count} failed";
        if (prints)
        {
            output.WriteLine(line);
            Console.WriteLine(line);
        }

        foreach (string op in missing) output.WriteLine($"not there: {op}");
        foreach (string problem in problems) output.WriteLine(problem);
        Assert.True(problems.Count == 0, string.Join("\n", problems.Prepend(line)));
        Assert.True(there >= LeastOps || there == ops, line);
    }
}
