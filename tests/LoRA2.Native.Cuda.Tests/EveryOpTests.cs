using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tests;
using Xunit.Abstractions;

namespace LoRA2.Native.Cuda.Tests;

/// <summary>Every op of the catalogue, forward and backward, on the interpreter of PTX, and on a GPU where there is one, against the CPU.</summary>
public sealed class EveryOpTests(ITestOutputHelper output)
{
    private const int Cases = 12;
    private const double Tolerance = 1e-5;

    public static TheoryData<string, bool> Ops
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (OpEntry op in OpCatalogue.All.Where(op => !op.OnCpuOnly))
            {
                data.Add(op.Name, false);
                if (GoldenDevice.Gpu is not null) data.Add(op.Name, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ops))]
    public void GivesTheCpusResultAndGradients(string name, bool onGpu)
    {
        OpEntry op = OpCatalogue.All.First(entry => entry.Name == name);
        using CudaDevice device = onGpu ? CudaDevice.Open() : GoldenDevice.Interpreter();
        for (int seed = 0; seed < Cases; seed++)
        {
            var source = new CaseSource(seed);
            OpCase drawn = seed % 3 == 2 ? op.DrawWithViews(source) : op.Draw(source);
            DeviceCheckResult worst = DeviceCheck.Run(drawn, device);
            Assert.True(worst.Error <= Tolerance, $"{name}, case {seed} ({drawn.Description}): {worst}");
        }
    }

    /// <summary>What has no kernel here says which.</summary>
    [Fact]
    public void AnOpWithoutItsKernelNamesIt()
    {
        using CudaDevice device = GoldenDevice.Interpreter();
        using Tensor x = Tensor.Full([2, 3], 0.5).To(device);
        string message = Assert.Throws<NotSupportedException>(() => LoRA2.Native.Tensors.Ops.Exp(x)).Message;
        Assert.Equal($"{device.Name} has no kernel for Unary (Exp); move the tensor to cpu", message);
    }

    /// <summary>.ci/run prints what this says.</summary>
    [Fact]
    public void TheBackendsAreNamed() => output.WriteLine(
        $"backends covered: CPU ({SimdPaths.Current}, {Compute.BFloat16Path}), CUDA kernels on the interpreter of PTX{(GoldenDevice.Gpu is { } gpu ? $", {gpu}" : "; there is no GPU here")}");
}
