using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>A v = λ v, the vectors orthonormal, the values falling and of the right sum: nothing else has all of these.</summary>
public sealed class SymmetricEigenTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(151)]
    public void OfRandomMatrices(int n)
    {
        double[] matrix = new double[n * n];
        new Philox((ulong)n).FillNormal(matrix.AsSpan(), 0, 1);
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < i; j++) matrix[(i * n) + j] = matrix[(j * n) + i];
        }

        Check(matrix, n);
    }

    [Fact]
    public void OfRepeatedZeroAndGradedEigenvalues()
    {
        const int n = 40;
        Check(new double[n * n], n);
        double[] repeated = new double[n * n], graded = new double[n * n], low = new double[n * n];
        for (int i = 0; i < n; i++)
        {
            repeated[i * (n + 1)] = i < 15 ? 3 : -1;
            graded[i * (n + 1)] = Math.Pow(10, -i);
            for (int j = 0; j < n; j++) low[(i * n) + j] = (i + 1) * (j + 1);
        }

        Check(repeated, n);
        Check(graded, n);
        Check(low, n);
        Assert.Equal(n * (n + 1) * ((2 * n) + 1) / 6.0, SymmetricEigen.Of(low, n, 0).Values[0], 1e-8);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void ValuesThatAreNotFiniteEndInAnException(double value) =>
        Assert.Throws<ArithmeticException>(() => SymmetricEigen.Of([1, 2, value, 2, 1, 3, value, 3, 1], 3, 3));

    [Fact]
    public void LoRAXSNamesTheWeightThatHasNoDecomposition()
    {
        using var small = new SmallModel(1, 24, 32);
        small.Model.AdaptableLayers.First(layer => layer.Name.Contains("value", StringComparison.Ordinal)).Weight.Value.AsSpan<float>()[5] = float.NaN;
        string message = Assert.Throws<InputException>(() => small.Model.Attach(new AdapterSettings { Method = new LoRAXSMethod { Rank = 2 } }, 1)).Message;
        Assert.Matches(@"value.*weight: the matrix holds values that are not finite", message);
    }

    private static void Check(double[] matrix, int n)
    {
        (double[] values, double[][] vectors) = SymmetricEigen.Of(matrix, n, n);
        double scale = Math.Sqrt(matrix.Sum(value => value * value)) + double.Epsilon;
        Assert.Equal(n, values.Length);
        Assert.Equal(Enumerable.Range(0, n).Sum(i => matrix[i * (n + 1)]), values.Sum(), 1e-13 * n * scale);
        for (int i = 0; i < n; i++)
        {
            Assert.True(i == 0 || values[i] <= values[i - 1]);
            for (int j = 0; j < n; j++)
            {
                Assert.Equal(i == j ? 1 : 0, Dot(vectors[i], vectors[j]), 1e-13);
                Assert.Equal(values[i] * vectors[i][j], Dot(matrix[(j * n)..((j + 1) * n)], vectors[i]), 1e-14 * n * scale);
            }
        }
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
