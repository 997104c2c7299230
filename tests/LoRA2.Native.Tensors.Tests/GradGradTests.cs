using FsCheck.Xunit;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Shared.Tensors;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Gradients of gradients.</summary>
public sealed class GradGradTests
{
    [Property(MaxTest = 6)]
    public void SecondDerivativesAgreeWithCentralDifferences(DrawnOps ops) => ops.Each(drawn =>
    {
        if (!drawn.Op.IsTwiceDifferentiable) return;
        using var scope = new TensorScope();
        OpCase op = drawn.Draw();
        if (op.Apply(op.Inputs).Count > 0 && op.Inputs.Any(input => input.RequiresGrad && input.Count > 0)) GradGradCheck.Verify(op.Apply, op.Inputs, 2e-5, samples: 4);
    });

    /// <summary>A list that a catalogue made in another order would not have: then the property above would check less, and say nothing.</summary>
    [Fact]
    public void OnlyOpsWithKernelsOfTheirOwnAreWithoutSecondDerivatives()
    {
        string[] fused =
        [
            "AddLayerNorm", "AddLayerNorm, picked rows", "Attention", "Attention, without padding", "BinaryCrossEntropy", "Checkpoint", "CrossEntropy", "DisentangledAttention", "DisentangledAttention, without padding", "Embedding", "Gather", "LoRA2Linear", "LoRA2Orthogonality", "LoRALinear", "MaskedMax",
            "MeanSquaredError", "NormOfMatrices", "Normalize", "OrthogonalityNorm", "SegmentedLoRALinear", "SingularValues", "Svd",
        ];
        Assert.Equal(fused, OpCatalogue.All.Where(op => !op.IsTwiceDifferentiable && DrawsAGradient(op)).Select(op => op.Name).Order(StringComparer.Ordinal));
    }

    private static bool DrawsAGradient(OpEntry op)
    {
        using var scope = new TensorScope();
        OpCase drawn = op.Draw(new CaseSource(1));
        return drawn.Inputs.Any(input => input.RequiresGrad) && drawn.Apply(drawn.Inputs).DType.IsFloat();
    }

    [Fact]
    public void TheSecondDerivativeOfACubeIsSixTimesX()
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor x = Tensor.From([2.0, -3], [2]);
        x.RequiresGrad = true;
        Tensor first = tape.Gradients(Ops.Sum(x * x * x), [x], createGraph: true)[0];
        Assert.Equal([12.0, 27], first.ToArray<double>());
        Assert.Null(x.Grad);
        Assert.Equal([12.0, -18], tape.Gradients(Ops.Sum(first), [x])[0].ToArray<double>());
    }

    [Fact]
    public void AGradientPenaltyReachesTheWeights()
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor w = Tensor.From([3.0], [1]), x = Tensor.From([2.0], [1]);
        w.RequiresGrad = x.RequiresGrad = true;
        Tensor slope = tape.Gradients(Ops.Sum(Ops.Square(w * x)), [x], createGraph: true)[0];
        tape.Backward(Ops.Sum(Ops.Square(slope)));
        // slope = 2 w² x, and d slope² / dw = 2 · slope · 4 w x.
        Assert.Equal([2 * 36.0 * 24], w.Grad!.ToArray<double>());
    }

    [Fact]
    public void TheFastModeMovesEachInputAlongOneDirection()
    {
        using var scope = new TensorScope();
        Tensor x = new CaseSource(3).Values([20, 30], 40);
        int calls = 0;
        GradientCheck.Verify(inputs => Count(Ops.Multiply(inputs[0], Ops.Square(inputs[0]))), [x], samples: 0);
        Assert.Equal(5, calls);
        GradGradCheck.Verify(inputs => Ops.Multiply(inputs[0], Ops.Square(inputs[0])), [x], samples: 0);
        Assert.Throws<GradientCheckException>(() => GradientCheck.Verify(inputs => Ops.Add(inputs[0], Tape.Unrecorded(() => Ops.Square(inputs[0]))), [x], samples: 0));

        Tensor Count(Tensor y)
        {
            calls++;
            return y;
        }
    }

    [Fact]
    public void AnOpWhoseGradientIsAKernelSaysSo()
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor logits = Tensor.From([1.0, 2], [1, 2]);
        logits.RequiresGrad = true;
        Tensor loss = Ops.CrossEntropy(logits, Tensor.From([0], [1]));
        string message = Assert.Throws<NotSupportedException>(() => tape.Gradients(loss, [logits], createGraph: true)).Message;
        Assert.StartsWith("CrossEntropy has no second derivative", message, StringComparison.Ordinal);
    }
}
