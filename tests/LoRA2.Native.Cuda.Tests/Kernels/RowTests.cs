using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Cuda.Tests.Kernels;

/// <summary>Kernels that go by rows, at all sizes that choose between their forms.</summary>
public sealed class RowTests : KernelTest
{
    /// <summary>A share of the largest element: sums of a row are added in another order than the CPU's.</summary>
    private const double Close = 2e-6;

    [Fact]
    public void Softmax()
    {
        foreach ((int rows, int columns) in Matrices)
        {
            foreach (bool masked in (bool[])[false, true])
            {
                int[] mask = Integers(rows * columns, 1, 0, 1);
                if (rows > 1) mask.AsSpan(columns, columns).Clear();
                AssertClose(Close, side =>
                {
                    (Tensor y, Tensor dx) = (side.Unset(rows, columns), side.Unset(rows, columns));
                    side.Kernels.Softmax(side.Of(Normal(rows * columns, 2, 3), rows, columns), masked ? side.Of(mask, rows, columns) : null, y);
                    side.Kernels.SoftmaxBackward(y, side.Of(Normal(rows * columns, 3), rows, columns), dx);
                    return [y, dx];
                }, $"{rows} x {columns}, masked {masked}");
            }
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(7)]
    public void SoftmaxOfUnusualRows(int columns)
    {
        float[] row = Normal(columns, 4);
        float[][] rows =
        [
            [.. Enumerable.Repeat(float.NegativeInfinity, columns)], [float.NaN, .. row[1..]], [float.NegativeInfinity, .. row[1..]], [float.PositiveInfinity, .. row[1..]],
            [float.NaN, .. Enumerable.Repeat(float.NegativeInfinity, columns - 1)], [1e30f, .. row[1..]], [.. row.Select(v => v * 1e30f)],
        ];
        AssertUlps(8, side =>
        {
            Tensor y = side.Unset(rows.Length, columns);
            side.Kernels.Softmax(side.Of(rows.SelectMany(values => values).ToArray(), rows.Length, columns), null, y);
            return [y];
        }, $"{columns} columns");
    }

    [Fact]
    public void LayerNorm()
    {
        foreach ((int rows, int columns) in Matrices)
        {
            AssertClose(Close, side =>
            {
                (Tensor x, Tensor gain, Tensor bias, Tensor dy) = (side.Of(Normal(rows * columns, 5, 2), rows, columns), side.Of(Normal(columns, 6), columns), side.Of(Normal(columns, 7), columns), side.Of(Normal(rows * columns, 8), rows, columns));
                (Tensor y, Tensor mean, Tensor rstd) = (side.Unset(rows, columns), side.Of(new float[rows], rows), side.Of(new float[rows], rows));
                side.Kernels.LayerNorm(x, gain, bias, 1e-5, y, mean, rstd);
                (Tensor dx, Tensor dgain, Tensor dbias, Tensor alone) = (side.Unset(rows, columns), side.Unset(columns), side.Unset(columns), side.Unset(columns));
                side.Kernels.LayerNormBackward(x, gain, mean, rstd, dy, dx, dgain, dbias);
                side.Kernels.LayerNormBackward(x, gain, mean, rstd, dy, null, null, alone);
                return [y, rstd, dx, dgain, dbias, alone];
            }, $"{rows} x {columns}");
        }
    }

    [Fact]
    public void AddLayerNorm()
    {
        foreach ((int rows, int columns) in Matrices)
        {
            foreach (double p in (double[])[0, 0.3])
            {
                var mask = new DropoutMask(p, 99, 3, 4);
                AssertClose(Close, side =>
                {
                    (Tensor x, Tensor residual, Tensor dy) = (side.Of(Normal(rows * columns, 9), rows, columns), side.Of(Normal(rows * columns, 10), rows, columns), side.Of(Normal(rows * columns, 11), rows, columns));
                    (Tensor gain, Tensor bias) = (side.Of(Normal(columns, 12), columns), side.Of(Normal(columns, 13), columns));
                    (Tensor sum, Tensor y, Tensor mean, Tensor rstd) = (side.Unset(rows, columns), side.Unset(rows, columns), side.Of(new float[rows], rows), side.Of(new float[rows], rows));
                    side.Kernels.AddLayerNorm(x, mask, residual, gain, bias, 1e-5, sum, y, mean, rstd);
                    (Tensor dx, Tensor dresidual, Tensor alone, Tensor other) = (side.Unset(rows, columns), side.Unset(rows, columns), side.Unset(rows, columns), side.Unset(rows, columns));
                    (Tensor dgain, Tensor dbias) = (side.Unset(columns), side.Unset(columns));
                    side.Kernels.AddLayerNormBackward(sum, mask, gain, mean, rstd, dy, dx, dresidual, dgain, dbias);
                    side.Kernels.AddLayerNormBackward(sum, mask, gain, mean, rstd, dy, alone, null, null, null);
                    side.Kernels.AddLayerNormBackward(sum, mask, gain, mean, rstd, dy, null, other, null, null);
                    return [sum, y, dx, dresidual, dgain, dbias, alone, other];
                }, $"{rows} x {columns}, p {p}");
            }
        }
    }

    [Fact]
    public void CrossEntropy()
    {
        foreach ((int rows, int classes) in Matrices)
        {
            if (classes == 0) continue;
            foreach (int least in (int[])[0, -1, -classes])
            {
                AssertClose(Close, side =>
                {
                    (Tensor loss, Tensor dlogits) = (side.Unset(), side.Unset(rows, classes));
                    side.Kernels.CrossEntropy(side.Of(Normal(rows * classes, 14, 3), rows, classes), side.Of(Integers(rows, 15, least, classes - 1), rows), loss, dlogits);
                    return [loss, dlogits];
                }, $"{rows} x {classes}, labels from {least}");
            }
        }
    }

    [Fact]
    public void MeanSquaredError()
    {
        foreach (int n in Counts)
        {
            AssertUlps(1, side =>
            {
                (Tensor loss, Tensor dx) = (side.Unset(), side.Unset(n));
                side.Kernels.MeanSquaredError(side.Of(Normal(n, 16), n), side.Of(Normal(n, 17), n), loss, dx);
                return [loss, dx];
            }, $"{n} elements");
        }
    }

    [Fact]
    public void BinaryCrossEntropy()
    {
        foreach (int n in Counts)
        {
            AssertUlps(4, side =>
            {
                (Tensor loss, Tensor dx) = (side.Unset(), side.Unset(n));
                side.Kernels.BinaryCrossEntropy(side.Of(Normal(n, 19, 3), n), side.Of([.. Integers(n, 20, 0, 1).Select(label => (float)label)], n), loss, dx);
                return [loss, dx];
            }, $"{n} elements");
        }
    }

    [Fact]
    public void EmbeddingAndItsGradientInTheOrderOfTheIds()
    {
        foreach ((int count, int columns) in Matrices)
        {
            foreach (int rows in (int[])[1, 4, 50])
            {
                int[] ids = Integers(count, 18, 0, rows - 1);
                AssertUlps(0, side =>
                {
                    (Tensor y, Tensor dtable, Tensor all) = (side.Unset(count, columns), side.Of(Normal(rows * columns, 19), rows, columns), side.Of(Normal(rows * columns, 20), rows, columns));
                    side.Kernels.Embedding(side.Of(Normal(rows * columns, 21), rows, columns), side.Of(ids, count), y);
                    side.Kernels.EmbeddingBackward(side.Of(ids, count), side.Of(Normal(count * columns, 22), count, columns), 2, dtable);
                    side.Kernels.EmbeddingBackward(side.Of(ids, count), side.Of(Normal(count * columns, 23), count, columns), -1, all);
                    return [y, dtable, all];
                }, $"{count} x {columns} of {rows}");
            }
        }
    }

    [Fact]
    public void AnIdOutsideTheTableIsARowOfZeros()
    {
        (_, float[][] there) = OnBoth(side =>
        {
            (Tensor y, Tensor dtable) = (side.Unset(3, 5), side.Of(new float[10], 2, 5));
            int[] ids = side.Device == Device.Cpu ? [1, 0, 0] : [1, 2, -1];
            side.Kernels.Embedding(side.Of(Normal(10, 24), 2, 5), side.Of(ids, 3), y);
            side.Kernels.EmbeddingBackward(side.Of(ids, 3), side.Of(Normal(15, 25), 3, 5), -1, dtable);
            return [y, dtable];
        });
        Assert.Equal([.. Normal(10, 24)[5..], .. new float[10]], there[0]);
        Assert.Equal([.. new float[5], .. Normal(15, 25)[..5]], there[1]);
    }
}
