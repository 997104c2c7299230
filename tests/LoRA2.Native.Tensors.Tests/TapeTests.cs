using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>What is recorded, and what a tape refuses.</summary>
public sealed class TapeTests
{
    [Fact]
    public void WithoutATapeNothingIsRecorded()
    {
        using var scope = new TensorScope();
        Tensor y = Ops.Gelu(Leaf([2, 3], 1));
        Assert.False(y.RequiresGrad);
        Assert.Null(y.Producer);
        using var tape = new Tape();
        Ops.Gelu(Tensor.Zeros([2]));
        Assert.Equal(0, tape.Length);
        Assert.Contains("not computed, on a tape", Assert.Throws<ArgumentException>(() => tape.Backward(y, y)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BackwardRunsOnce()
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor x = Leaf([2], 3);
        Tensor loss = Ops.Sum(Ops.Multiply(x, x));
        tape.Backward(loss);
        Assert.Equal(0, tape.Length);
        Assert.Contains("Backward runs once", Assert.Throws<InvalidOperationException>(() => tape.Backward(loss)).Message, StringComparison.Ordinal);
        Assert.Equal([6f, 6], x.Grad!.ToArray<float>());
        tape.Backward(Ops.Sum(x));
        Assert.Equal([7f, 7], x.Grad!.ToArray<float>());
    }

    [Fact]
    public void ALeafMayBeTheLoss()
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor x = Leaf([], 3);
        tape.Backward(x);
        Assert.Equal(1, x.Grad!.Item());
    }

    [Fact]
    public void TheSeedMustFitTheLossAndTheLossTheTape()
    {
        using var scope = new TensorScope();
        using var outer = new Tape();
        Tensor y = Ops.Scale(Leaf([2], 1), 2);
        Assert.Equal("a loss of shape [2] needs a seed gradient", Assert.Throws<ArgumentException>(() => outer.Backward(y)).Message);
        Assert.Equal("a seed of Float32 [3] was given for a loss of Float32 [2]", Assert.Throws<ArgumentException>(() => outer.Backward(y, Tensor.Zeros([3]))).Message);
        Assert.Equal("a seed of Float64 [2] was given for a loss of Float32 [2]", Assert.Throws<ArgumentException>(() => outer.Backward(y, Tensor.Zeros([2], DType.Float64))).Message);
        using var inner = new Tape();
        Assert.Equal("the loss was recorded on another tape", Assert.Throws<ArgumentException>(() => inner.Backward(y, y)).Message);
    }

    [Fact]
    public void AnomaliesNameTheOp()
    {
        using var scope = new TensorScope();
        using var tape = new Tape { DetectAnomaly = true };
        Tensor x = Leaf([3], 1e30);
        var inResult = Assert.Throws<AnomalyException>(() => Ops.Multiply(x, x));
        Assert.Equal("the result of Multiply holds a NaN or an infinity", inResult.Message);
        Tensor small = Ops.Scale(x, 1e-30);
        var inGradient = Assert.Throws<AnomalyException>(() => tape.Backward(small, Tensor.Full([3], double.PositiveInfinity)));
        Assert.Equal(("Scale", "the gradient of Scale holds a NaN or an infinity"), (inGradient.Op, inGradient.Message));
    }

    /// <summary>A view is checked in its own elements, not in its neighbours in memory.</summary>
    [Fact]
    public void AnomaliesOutsideAViewDoNotCount()
    {
        using var scope = new TensorScope();
        using var tape = new Tape { DetectAnomaly = true };
        Tensor x = Tensor.From([1f, float.NaN, 2, 3], [2, 2]);
        x.RequiresGrad = true;
        Assert.Equal([1f, 2], Ops.Slice(x, 1, 0, 1).ToArray<float>());
        Assert.Throws<AnomalyException>(() => Ops.Transpose(x));
    }

    private static Tensor Leaf(Shape shape, double value)
    {
        Tensor leaf = Tensor.Full(shape, value);
        leaf.RequiresGrad = true;
        return leaf;
    }
}
