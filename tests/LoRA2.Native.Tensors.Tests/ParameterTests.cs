using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests;

public sealed class ParameterTests
{
    [Fact]
    public void AFrozenParameterCanBeTrainedAgain()
    {
        using var scope = new TensorScope();
        var parameter = new Parameter("w", Tensor.From([1f, 2f], [2]));
        parameter.Freeze();
        Tensor frozen = parameter.Value;
        Assert.True(frozen.IsConstant);

        parameter.Train();

        Assert.True(parameter.IsTrainable);
        Assert.False(parameter.Value.IsConstant);
        Assert.NotSame(frozen, parameter.Value);
        Assert.Equal([1f, 2f], parameter.Value.ToArray<float>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AReplacementHasTheSameRole(bool train)
    {
        using var scope = new TensorScope();
        var parameter = new Parameter("w", Tensor.From([1f, 2f], [2]));
        if (train) parameter.Train();
        else parameter.Freeze();

        parameter.Replace(Tensor.From([3f, 4f], [2]));

        Assert.Equal(train, parameter.IsTrainable);
        Assert.Equal(!train, parameter.Value.IsConstant);
        Assert.Equal([3f, 4f], parameter.Value.ToArray<float>());
        Assert.Throws<ArgumentException>(() => parameter.Replace(Tensor.Zeros([3])));
    }

    [Fact]
    public void ItOutlivesTheScopeItWasMadeIn()
    {
        Parameter parameter;
        using (new TensorScope())
        {
            parameter = new Parameter("w", Tensor.From([1f], [1]));
            parameter.Freeze();
            parameter.Train();
        }

        Assert.Equal([1f], parameter.Value.ToArray<float>());
        parameter.Value.Dispose();
    }
}
