using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Recomputation: what the catalogue's gradient tests don't see.</summary>
public sealed class CheckpointTests
{
    [Fact]
    public void TheBodyRunsOnceForwardAndOnceBackward()
    {
        using var scope = new TensorScope();
        Tensor x = Leaf();
        int runs = 0;
        Tensor Body()
        {
            runs++;
            return Ops.Gelu(x);
        }

        Ops.Checkpoint(Body, x);
        Assert.Equal(1, runs);
        using var tape = new Tape();
        Tensor loss = Ops.Sum(Ops.Checkpoint(Body, x));
        Assert.Equal((2, 2), (runs, tape.Length));
        tape.Backward(loss);
        Assert.Equal(3, runs);
    }

    [Fact]
    public void ABodyMayReturnAnInputOrNothingTrained()
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor x = Leaf();
        Tensor constant = Tensor.Full([4], 2);
        Tensor y = Ops.Add(Ops.Checkpoint(() => x, x), Ops.Checkpoint(() => Ops.Gelu(constant), constant));
        tape.Backward(Ops.Sum(y));
        Assert.Equal([1f, 1, 1, 1], x.Grad!.ToArray<float>());
        Assert.Null(constant.Grad);
    }

    [Fact]
    public void BodiesMayNest()
    {
        using var scope = new TensorScope();
        Tensor x = Leaf();
        float[] Gradient(Func<Tensor> body)
        {
            using var tape = new Tape();
            tape.Backward(Ops.Sum(body()));
            float[] gradient = x.Grad!.ToArray<float>();
            x.ClearGrad();
            return gradient;
        }

        Tensor Plain() => Ops.Multiply(Ops.Gelu(Ops.Tanh(x)), x);
        Assert.Equal(Gradient(Plain), Gradient(() => Ops.Checkpoint(() => Ops.Multiply(Ops.Checkpoint(() => Ops.Gelu(Ops.Tanh(x)), x), x), x)));
    }

    private static Tensor Leaf()
    {
        Tensor x = Tensor.From([0.5f, -1, 2, 0], [4]);
        x.RequiresGrad = true;
        return x;
    }
}
