using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>The checker itself, on an op as a user writes one: it passes the right gradient and no other.</summary>
public sealed class GradientCheckTests
{
    [Fact]
    public void ARightGradientPasses()
    {
        using var scope = new TensorScope();
        Tensor x = new CaseSource(1).Values([7, 5]);
        GradientCheck.Verify(inputs => Square(inputs[0], 2), [x]);
        GradientCheck.Verify(inputs => Square(inputs[0], 2), [x], DType.Float32);
        GradientCheck.Verify(inputs => Square(Ops.Transpose(inputs[0]), 2), [x], samples: 3);
        Assert.Null(x.Grad);
    }

    [Fact]
    public void AWrongGradientIsFoundWhereItIs()
    {
        using var scope = new TensorScope();
        Tensor x = new CaseSource(1).Values([7, 5]);
        Assert.Throws<GradientCheckException>(() => GradientCheck.Verify(inputs => Square(inputs[0], 2.001), [x]));
        GradientCheckException found = Assert.Throws<GradientCheckException>(() => GradientCheck.Verify(inputs => Square(inputs[0], 2, wrongAt: 13), [x]));
        Assert.StartsWith("gradient of input 0 [7, 5] at element 13: backward gives ", found.Message, StringComparison.Ordinal);
    }

    /// <summary>Wherever the one wrong element is, and however few elements are picked.</summary>
    [Fact]
    public void AWrongElementThatWasNotPickedIsFoundAlongTheRandomDirection()
    {
        using var scope = new TensorScope();
        Tensor x = new CaseSource(1).Values([7, 5]);
        int alongDirection = 0;
        for (int element = 0; element < x.Count; element++)
        {
            string message = Assert.Throws<GradientCheckException>(() => GradientCheck.Verify(inputs => Square(inputs[0], 2, element), [x], samples: 4)).Message;
            if (message.Contains("along a random direction", StringComparison.Ordinal)) alongDirection++;
        }

        Assert.True(alongDirection >= x.Count - 4);
    }

    [Fact]
    public void NotANumberIsFound()
    {
        using var scope = new TensorScope();
        Tensor x = new CaseSource(1).Values([4]);
        Assert.Equal(double.PositiveInfinity, GradientCheck.Run(inputs => Square(inputs[0], double.NaN), [x]).Error);
        Assert.Throws<GradientCheckException>(() => GradientCheck.Verify(inputs => Square(inputs[0], double.NaN), [x]));
        Assert.Throws<GradientCheckException>(() => GradientCheck.Verify(inputs => Ops.Scale(inputs[0], double.NaN), [x]));
    }

    [Fact]
    public void AFunctionThatIsNotDeterministicIsReported()
    {
        using var scope = new TensorScope();
        uint step = 0;
        Tensor x = Tensor.Full([50], 1, DType.Float64);
        x.RequiresGrad = true;
        string message = Assert.Throws<GradientCheckException>(() => GradientCheck.Verify(inputs => Ops.Dropout(inputs[0], new DropoutMask(0.5, 1, step++, 0)), [x])).Message;
        Assert.StartsWith("the function is not deterministic: two calls on the same inputs differ at element ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void AGradientOfTheWrongShapeOrTypeIsRefused()
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor x = Tensor.Full([2, 3], 1);
        x.RequiresGrad = true;
        Tensor y = Tape.Record(new OtherGradientNode(x, Tensor.Zeros([3, 2])), x.Clone());
        Assert.Equal("a gradient of Float32 [3, 2] was given to an input of Float32 [2, 3]", Assert.Throws<InvalidOperationException>(() => tape.Backward(y, y)).Message);
        Tensor z = Tape.Record(new OtherGradientNode(x, Tensor.Zeros([2, 3], DType.Float64)), x.Clone());
        Assert.Equal("a gradient of Float64 [2, 3] was given to an input of Float32 [2, 3]", Assert.Throws<InvalidOperationException>(() => tape.Backward(z, z)).Message);
    }

    /// <summary>The example of <see cref="Node"/>'s documentation, with a gradient of factor · x that a bug may put out at one element.</summary>
    private static Tensor Square(Tensor x, double factor, int wrongAt = -1)
    {
        x = Ops.Contiguous(x);
        Tensor y = Tensor.Empty(x.Shape, x.DType);
        x.Device.Kernels.Multiply(x, x, y);
        return Tape.Records(x) ? Tape.Record(new SquareNode(x, factor, wrongAt), y) : y;
    }

    private sealed class SquareNode : Node
    {
        private readonly Tensor x;
        private readonly double factor;
        private readonly int wrongAt;

        public SquareNode(Tensor x, double factor, int wrongAt)
        {
            this.x = Save(x);
            this.factor = factor;
            this.wrongAt = wrongAt;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dx = Ops.Scale(Ops.Multiply(gradient, x), factor);
            if (wrongAt >= 0) dx.AsSpan<double>()[wrongAt] += 0.01;
            Accumulate(x, dx);
        }
    }

    private sealed class OtherGradientNode(Tensor x, Tensor other) : Node
    {
        protected internal override void Backward(Tensor gradient) => Accumulate(x, other);
    }

    [Fact]
    public void ACheckOfNothingThrows()
    {
        using var scope = new TensorScope();
        Tensor constant = Tensor.From([1.0, 2.0], [2]), whole = Tensor.From([1, 2], [2]);
        Tensor empty = Tensor.Zeros([0], DType.Float64);
        empty.RequiresGrad = true;
        foreach (Tensor[] inputs in (Tensor[][])[[], [constant], [whole], [empty]])
        {
            Assert.Contains("nothing was checked", Assert.Throws<GradientCheckException>(() => GradientCheck.Run(given => Ops.Tanh(given[0]), inputs)).Message, StringComparison.Ordinal);
            Assert.Throws<GradientCheckException>(() => GradientCheck.Verify(given => Ops.Tanh(given[0]), inputs));
        }
    }
}
