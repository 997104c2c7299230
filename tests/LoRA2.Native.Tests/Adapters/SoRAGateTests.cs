using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>SoRA's gate: the threshold's forms at their edges, the penalty and its gradient.</summary>
public sealed class SoRAGateTests
{
    private const float Xi = 0.25f;

    [Theory]
    [InlineData(ProximalForm.Paper, 0f, 0f)]
    [InlineData(ProximalForm.Paper, 0.2f, 0f)]
    [InlineData(ProximalForm.Paper, Xi, 0f)]
    [InlineData(ProximalForm.Paper, 0.375f, 0.125f)]
    [InlineData(ProximalForm.Paper, 2 * Xi, Xi)]
    [InlineData(ProximalForm.Paper, 1f, 0.75f)]
    [InlineData(ProximalForm.Released, 0f, 0f)]
    [InlineData(ProximalForm.Released, 0.2f, 0f)]
    [InlineData(ProximalForm.Released, Xi, Xi)]
    [InlineData(ProximalForm.Released, 0.375f, 0f)]
    [InlineData(ProximalForm.Released, 2 * Xi, Xi)]
    [InlineData(ProximalForm.Released, 1f, 0.75f)]
    public void TheThresholdHasItsEdges(ProximalForm form, float gate, float expected)
    {
        using Tensor gates = Tensor.From<float>([gate, -gate], [2]);
        gates.Device.Kernels.Shrink(gates, Xi, form == ProximalForm.Released);
        Assert.Equal([expected, -expected], gates.ToArray<float>());
    }

    [Theory]
    [InlineData(ProximalForm.Paper, 0.25)]
    [InlineData(ProximalForm.Rate, 0.5)]
    public void AStepShrinksByTheThresholdOrByItTimesTheRate(ProximalForm form, double expected)
    {
        using var small = new SmallModel();
        var method = new SoRAMethod { Rank = 2, Threshold = 0.5, Proximal = form };
        small.Model.Attach(new AdapterSettings { Method = method }, 1);
        foreach (Adapter adapter in small.Model.Adapters())
        {
            ((SoRAAdapter)adapter).Gate.AsSpan<float>().Fill(0.75f);
            method.AfterStep(adapter, 0.5);
            Assert.All(((SoRAAdapter)adapter).Gate.ToArray<float>(), gate => Assert.Equal(expected, gate));
        }
    }

    [Fact]
    public void ThePenaltyIsTheMeanSizeAndPullsWithItsSign()
    {
        using var scope = new TensorScope();
        using var adapter = new SoRAAdapter("m", Tensor.Zeros([4, 3]), Tensor.From([-2f, 0f, 1f, 5f], [4, 1]), Tensor.Zeros([2, 4]), 1);
        using var tape = new Tape();
        Tensor penalty = new SoRAMethod().Regulariser([adapter])!;
        Assert.Equal(2, penalty.Item());
        tape.Backward(penalty);
        Assert.Equal([-0.25f, 0f, 0.25f, 0.25f], adapter.Gate.Grad!.ToArray<float>());
    }

    [Fact]
    public void GatesStartGaussianAreNotDecayedAndHaveTheirOwnRate()
    {
        using var small = new SmallModel(8, 16, 24);
        var method = new SoRAMethod { Rank = 16, GateRate = 3 };
        small.Model.Attach(new AdapterSettings { Method = method }, 1);
        float[] gates = [.. small.Model.Adapters().SelectMany(adapter => ((SoRAAdapter)adapter).Gate.ToArray<float>())];
        Assert.Equal(8 * 6 * 16, gates.Distinct().Count());
        Assert.Equal(0, gates.Average(), 0.15);
        Assert.Equal(1, gates.Average(gate => gate * gate), 0.2);
        foreach ((Adapter adapter, Parameter parameter) in small.Model.Adapters().SelectMany(adapter => adapter.Parameters.Select(parameter => (adapter, parameter))))
        {
            bool gate = parameter.Name.EndsWith("gate", StringComparison.Ordinal);
            Assert.Equal(!gate, method.Decays(parameter));
            Assert.Equal(gate ? 3 : 1, method.RateFactor(adapter, parameter));
        }
    }
}
