using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Tensors print as NumPy's arrays do: what is expected here is what NumPy prints.</summary>
public sealed class PrintingTests
{
    [Fact]
    public void NumbersAreAlignedAtTheirPoints()
    {
        using var scope = new TensorScope();
        Assert.Equal("[1.  2.5]", Tensor.From([1f, 2.5f], [2]).ToString());
        Assert.Equal("[[ 1.   -0.25]\n [10.    0.1 ]]", Tensor.From([1f, -0.25f, 10, 0.1f], [2, 2]).ToString());
        Assert.Equal("[0.33333333 1.        ]", Tensor.From([1.0 / 3, 1], [2]).ToString());
        Assert.Equal("[nan inf  1.]", Tensor.From([double.NaN, double.PositiveInfinity, 1], [3]).ToString());
        Assert.Equal("3.0", Tensor.Scalar(3).ToString());
    }

    [Fact]
    public void LargeAndSmallNumbersAreScientific()
    {
        using var scope = new TensorScope();
        Assert.Equal("[1.0e+10 1.5e-05]", Tensor.From([1e10, 1.5e-5], [2]).ToString());
    }

    [Fact]
    public void IntegersAndTruthsAreAligned()
    {
        using var scope = new TensorScope();
        Assert.Equal("[[  1 -20]\n [300   4]]", Tensor.From([1, -20, 300, 4], [2, 2]).ToString());
        Assert.Equal("[ True False]", Tensor.From([true, false], [2]).ToString());
        Assert.Equal("[[[1]\n  [2]]\n\n [[3]\n  [4]]]", Tensor.From([1, 2, 3, 4], [2, 2, 1]).ToString());
        Assert.Equal("[]", Tensor.Zeros([0]).ToString());
    }

    [Fact]
    public void MoreThanAThousandAreShortened()
    {
        using var scope = new TensorScope();
        Assert.Equal("[   0    1    2 ... 1998 1999 2000]", Tensor.From([.. Enumerable.Range(0, 2001)], [2001]).ToString());
    }
}
