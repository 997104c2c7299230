using FsCheck.Xunit;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Shared.Tensors;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>However a tensor lies in memory, what is read from it and what is made of it is the same.</summary>
public sealed class ViewPropertyTests
{
    [Property(MaxTest = 300)]
    public void AViewReadsAsItsValues(DrawnTensor drawn)
    {
        using var scope = new TensorScope();
        Tensor x = drawn.Make();
        Assert.Equal((drawn.Shape, drawn.DType), (x.Shape, x.DType));
        Same(drawn.Values, x);
        Same(drawn.Values, Ops.Contiguous(x));
        Same(drawn.Values, x.Clone());
        Assert.True(Ops.Contiguous(x).IsContiguous);
    }

    [Property(MaxTest = 200)]
    public void AxesTurnedRoundAndBackAreWhereTheyWere(DrawnTensor drawn, byte turn)
    {
        using var scope = new TensorScope();
        int rank = drawn.Shape.Rank;
        if (rank == 0) return;
        Tensor x = drawn.Make();
        int[] order = [.. Enumerable.Range(0, rank).Select(axis => (axis + turn) % rank)];
        int[] back = [.. Enumerable.Range(0, rank).Select(axis => Array.IndexOf(order, axis))];
        Same(drawn.Values, Ops.Permute(Ops.Permute(x, order), back));
        Same(drawn.Values, Ops.Reshape(Ops.Reshape(x, drawn.Shape.Elements), drawn.Shape.Extents.ToArray()));
    }

    [Property(MaxTest = 200)]
    public void PartsPutTogetherAreTheWhole(DrawnTensor drawn, byte axis, byte at)
    {
        using var scope = new TensorScope();
        if (drawn.Shape.Rank == 0) return;
        Tensor x = drawn.Make();
        int along = axis % drawn.Shape.Rank, cut = at % (drawn.Shape[along] + 1);
        Same(drawn.Values, Ops.Concat(along, Ops.Slice(x, along, 0, cut), Ops.Slice(x, along, cut, drawn.Shape[along] - cut)));
    }

    /// <summary>Sums of a view, along an axis and of everything, are those of the tensor that it is a copy of, to the last bit.</summary>
    [Property(MaxTest = 200)]
    public void SumsDoNotDependOnTheLayout(DrawnTensor drawn, byte axis)
    {
        using var scope = new TensorScope();
        Tensor view = drawn.Make(), plain = (drawn with { Layout = DrawnLayout.Contiguous }).Make();
        Same(Ops.Sum(plain).To(DType.Float64).ToArray<double>(), Ops.Sum(view));
        if (drawn.Shape.Rank == 0) return;
        int along = axis % drawn.Shape.Rank;
        Same(Ops.Sum(plain, along).To(DType.Float64).ToArray<double>(), Ops.Sum(view, along));
    }

    [Property(MaxTest = 100)]
    public void TheGradientOfAViewGoesToWhatItViews(DrawnTensor drawn)
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor x = drawn.Make().Clone();
        x.RequiresGrad = true;
        Tensor y = drawn.Shape.Rank == 0 ? Ops.Scale(x, 3) : Ops.Permute(Ops.Scale(x, 3), [.. Enumerable.Range(0, drawn.Shape.Rank).Reverse()]);
        tape.Backward(y, Tensor.Full(y.Shape, 2, drawn.DType));
        Assert.All(x.Grad!.To(DType.Float64).ToArray<double>(), value => Assert.Equal(6, value));
    }

    private static void Same(double[] expected, Tensor actual) => Assert.Equal(expected, actual.To(DType.Float64).ToArray<double>());
}
