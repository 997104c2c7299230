using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>The type of a result is written in a table, and symmetric.</summary>
public sealed class PromotionTests
{
    private static readonly DType[] Types = [DType.Bool, DType.Int32, DType.Int64, DType.Float16, DType.BFloat16, DType.Float32, DType.Float64];

    /// <summary>PyTorch's table; rows and columns in the order of <see cref="Types"/>.</summary>
    private static readonly string[] Table =
    [
        "Bool Int32 Int64 Float16 BFloat16 Float32 Float64",
        "Int32 Int32 Int64 Float16 BFloat16 Float32 Float64",
        "Int64 Int64 Int64 Float16 BFloat16 Float32 Float64",
        "Float16 Float16 Float16 Float16 Float32 Float32 Float64",
        "BFloat16 BFloat16 BFloat16 Float32 BFloat16 Float32 Float64",
        "Float32 Float32 Float32 Float32 Float32 Float32 Float64",
        "Float64 Float64 Float64 Float64 Float64 Float64 Float64",
    ];

    [Fact]
    public void TwoTypesPromoteAsTheTableSays()
    {
        for (int i = 0; i < Types.Length; i++)
        {
            string[] row = Table[i].Split(' ');
            for (int j = 0; j < Types.Length; j++) Assert.Equal(row[j], Types[i].With(Types[j]).ToString());
        }
    }

    [Fact]
    public void ANumberCountsByItsKind()
    {
        Assert.Equal(DType.Int32, DType.Int32.With(2));
        Assert.Equal(DType.Float32, DType.Int32.With(2.5));
        Assert.Equal(DType.Float32, DType.Float32.With(2.5));
        Assert.Equal(DType.Int64, DType.Bool.With(2));
        Assert.Equal(DType.Bool, DType.Bool.With(true));
    }

    [Fact]
    public void OpsComputeInThePromotedType()
    {
        using var scope = new TensorScope();
        Tensor ints = Tensor.From([1, -7], [2]), floats = Tensor.From([0.5f, 2], [2]), doubles = Tensor.From([0.25, 4], [2]), truths = Tensor.From([true, false], [2]);
        Assert.Equal([1.5f, -5], (ints + floats).ToArray<float>());
        Assert.Equal([0.75, 6], (floats + doubles).ToArray<double>());
        Assert.Equal([2, -7], (ints + truths).ToArray<int>());
        Assert.Equal([2L, 0], (truths + truths).ToArray<long>());
        Assert.Equal([0.5f, -3.5f], (ints / 2).ToArray<float>());
        Assert.Equal([0, -4], Ops.FloorDivide(ints, 2).ToArray<int>());
        Assert.Equal([1, 1], (ints % 2).ToArray<int>());
        Assert.Equal([true, false], (ints > truths - 1).ToArray<bool>());
        Assert.Equal(-6, Ops.Sum(ints).Item());
        Assert.Equal(DType.Int64, Ops.Sum(truths).DType);
        Assert.Equal([-1f, 1], Ops.Sign(Ops.Cast(Tensor.From([-3, 4], [2]), DType.Float32)).ToArray<float>());
    }

    [Fact]
    public void TheGradientOfAPromotedOperandIsOfItsOwnType()
    {
        using var scope = new TensorScope();
        using var tape = new Autograd.Tape();
        Tensor x = Tensor.From([0.5f, 2], [2]);
        x.RequiresGrad = true;
        tape.Backward(Ops.Sum(x * Tensor.From([3.0, 4], [2])));
        Assert.Equal([3f, 4], x.Grad!.ToArray<float>());
    }
}
