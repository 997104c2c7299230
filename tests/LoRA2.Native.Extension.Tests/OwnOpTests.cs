using FsCheck.Xunit;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Shared.Tensors;

namespace LoRA2.Native.Extension.Tests;

/// <summary>The catalogue's checks of an op that was added.</summary>
public sealed class OwnOpTests(Outsiders outsiders) : IClassFixture<Outsiders>
{
    [Fact]
    public void ItIsInTheCatalogue()
    {
        Assert.NotNull(outsiders.LogLoss);
        Assert.Same(SwishOp.Entry, OpCatalogue.All.Single(entry => entry.Name == "Swish"));
        Assert.Contains("Swish", Assert.Throws<ArgumentException>(() => OpCatalogue.Register(SwishOp.Entry with { })).Message, StringComparison.Ordinal);
    }

    [Property(MaxTest = 60)]
    public void ItsGradientAgreesWithCentralDifferencesInDouble(DrawnOps drawn) => drawn.Each(op => Check(op, DType.Float64));

    [Property(MaxTest = 25)]
    public void ItsGradientAgreesWithCentralDifferencesInSingle(DrawnOps drawn) => drawn.Each(op => Check(op, DType.Float32));

    [Property(MaxTest = 25)]
    public void OnADeviceItIsWhatItIsOnTheCpu(DrawnOps drawn) => drawn.Each(op =>
    {
        using var scope = new TensorScope();
        Assert.InRange(DeviceCheck.Run(op.Draw(), Device.Cpu).Error, 0, 1e-5);
    });

    [Property(MaxTest = 100)]
    public void ItIsItsFormula(DrawnTensor drawn)
    {
        using var scope = new TensorScope();
        double[] expected = [.. drawn.Values.Select(x => x / (1 + Math.Exp(-x)))];
        double[] actual = SwishOp.Swish(drawn.Make()).To(DType.Float64).ToArray<double>();
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, drawn.DType == DType.Float64 ? 1e-14 : 1e-6));
    }

    private static void Check(DrawnOp drawn, DType precision)
    {
        using var scope = new TensorScope();
        OpCase op = drawn.Draw();
        if (op.Apply(op.Inputs).Count > 0) GradientCheck.Verify(op.Apply, op.Inputs, precision, samples: 24);
    }
}
