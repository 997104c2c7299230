using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Cuda.Tests.Kernels;

/// <summary>Sums over many elements against sums in double: within 1e-6 of the sum of the terms' sizes.</summary>
public sealed class ReductionTests : KernelTest
{
    [Fact]
    public void SumsOfRowsAndColumns()
    {
        foreach ((int rows, int columns) in (IEnumerable<(int, int)>)[.. Matrices, (1, 40_000), (2, 20_001), (300, 3)])
        {
            float[] x = Normal(rows * columns, 1);
            (_, float[][] there) = OnBoth(side =>
            {
                (Tensor down, Tensor across) = (side.Unset(columns), side.Unset(rows));
                side.Kernels.SumRows(side.Of(x, rows, columns), down);
                side.Kernels.SumColumns(side.Of(x, rows, columns), across);
                return [down, across];
            });
            for (int c = 0; c < columns; c++) AssertSum(Enumerable.Range(0, rows).Select(r => x[(r * columns) + c]), there[0][c]);
            for (int r = 0; r < rows; r++) AssertSum(x[(r * columns)..((r + 1) * columns)], there[1][r]);
        }
    }

    [Fact]
    public void SumOfSquaresOfManyTensors()
    {
        using var device = new CudaDevice(new Emulation.EmulatedDriver(), 0);
        using var scope = new TensorScope();
        var side = new Side(device, false);
        foreach (int[] counts in (int[][])[[], [0], [1], [5, 0, 4099, 3, 8192], [10_000]])
        {
            float[][] values = [.. counts.Select((count, i) => Normal(count, 2 + i))];
            double expected = values.Sum(array => array.Sum(value => (double)value * value));
            Tensor[] tensors = [.. values.Select(array => side.Of(array, array.Length))];
            Tensor sum = Tensor.Full([], double.NaN, DType.Float64).To(device), again = Tensor.Full([], double.NaN, DType.Float64).To(device);
            device.Kernels.SumOfSquares(tensors, sum);
            device.Kernels.SumOfSquares(tensors, again);
            Assert.Equal(expected, sum.Item(), 1e-12 * expected);
            Assert.Equal(sum.Item(), again.Item());
        }
    }

    [Fact]
    public void IsFiniteFindsOneElement()
    {
        using var device = new CudaDevice(new Emulation.EmulatedDriver(), 0);
        foreach (bool shifted in (bool[])[false, true])
        {
            using var scope = new TensorScope();
            var side = new Side(device, shifted);
            foreach (int n in Counts)
            {
                float[] x = Normal(n, 3);
                if (n > 0) x[^1] = float.MaxValue;
                Assert.True(device.Kernels.IsFinite(side.Of(x, n)));
                for (int at = 0; at < n; at += Math.Max(1, n / 3))
                {
                    foreach (float bad in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
                    {
                        float[] spoiled = [.. x];
                        spoiled[at] = bad;
                        Assert.False(device.Kernels.IsFinite(side.Of(spoiled, n)), $"{bad} at {at} of {n}");
                    }
                }
            }
        }
    }

    private static void AssertSum(IEnumerable<float> terms, float sum)
    {
        double expected = 0, size = 0;
        foreach (float term in terms) (expected, size) = (expected + term, size + Math.Abs(term));
        Assert.InRange(sum, expected - (1e-6 * size), expected + (1e-6 * size));
    }
}
