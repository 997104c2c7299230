using LoRA2.Native.Cuda.Tests.Emulation;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda.Tests;

/// <summary>Every op of the catalogue, forward and backward, on the interpreter of PTX against the CPU.</summary>
public sealed class EveryOpTests
{
    private const int Cases = 12;
    private const double Tolerance = 1e-5;

    public static TheoryData<string> Ops => [.. OpCatalogue.All.Select(op => op.Name)];

    [Theory]
    [MemberData(nameof(Ops))]
    public void GivesTheCpusResultAndGradients(string name)
    {
        OpEntry op = OpCatalogue.All.First(entry => entry.Name == name);
        using var device = new CudaDevice(new EmulatedDriver(), 0);
        for (int seed = 0; seed < Cases; seed++)
        {
            var source = new CaseSource(seed);
            OpCase drawn = seed % 3 == 2 ? op.DrawWithViews(source) : op.Draw(source);
            DeviceCheckResult worst = DeviceCheck.Run(drawn, device);
            Assert.True(worst.Error <= Tolerance, $"{name}, case {seed} ({drawn.Description}): {worst}");
        }
    }
}
