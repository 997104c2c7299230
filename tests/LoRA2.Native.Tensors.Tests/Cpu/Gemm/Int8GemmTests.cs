using LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>Products with weights in 8 bits: against sums of the rounded operands in double precision, and against what rounding may cost.</summary>
public sealed class Int8GemmTests
{
    private static readonly (int M, int N, int K)[] Shapes = [(1, 1, 1), (1, 16, 2), (5, 17, 3), (6, 32, 16), (7, 33, 31), (13, 48, 64), (32, 384, 384), (3, 7, 1537), (65, 40, 100), (200, 100, 70), (2, 0, 4), (0, 5, 4), (4, 20, 0)];

    [Fact]
    public void AResultIsTheExactSumOfTheRoundedOperandsTimesTheirScalesAndTheSameBitsOnEveryPathOfPairs() => OnPairs(() =>
    {
        foreach ((int m, int n, int k) in Shapes)
        {
            using var scope = new TensorScope();
            (Tensor x, Tensor weight) = (Normal([m, k], 1), Frozen([n, k], 2));
            float[] expected = Expected(x, weight);
            float[] widest = Product(x, weight);
            for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - widest[i]) <= 4e-7f * Math.Abs(expected[i]), $"{m} × {n} × {k}: element {i} is {widest[i]}; {expected[i]} was expected");
            foreach (SimdPath path in Enum.GetValues<SimdPath>().Where(path => path < SimdPath.Vector512 && SimdPaths.IsSupported(path)))
            {
                SimdPaths.Forced = path;
                Assert.Equal(widest, Product(x, weight));
            }
        }
    });

    [InstructionsFact(Instructions.Vnni)]
    public void OfBytesAResultIsTheExactSumOfTheRoundedOperandsTimesTheirScalesAndTheSameBitsOnEveryPath()
    {
        foreach ((int m, int n, int k) in Shapes)
        {
            using var scope = new TensorScope();
            (Tensor x, Tensor weight) = (Normal([m, k], 1), Frozen([n, k], 2));
            (float[] expected, double[] sizes) = ExpectedOfBytes(x, weight);
            float[] actual = Product(x, weight);
            foreach (BytePath path in Enum.GetValues<BytePath>().Where(path => path != BytePath.None && ByteCode.IsSupported(path))) Assert.Equal(actual, ProductOn(path, x, weight));
            for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) <= 4e-7 * sizes[i], $"{m} × {n} × {k}: element {i} is {actual[i]}; {expected[i]} was expected");
        }
    }

    [Fact]
    public void TheErrorIsWithinWhatRoundingBothOperandsMayCost()
    {
        foreach ((int m, int n, int k) in Shapes)
        {
            using var scope = new TensorScope();
            (Tensor x, Tensor weight) = (Normal([m, k], 3), Frozen([n, k], 4));
            (float[] a, float[] b, float[] c) = (x.ToArray<float>(), weight.ToArray<float>(), Product(x, weight));
            for (int i = 0; i < m; i++)
            {
                for (int j = 0; j < n; j++)
                {
                    // a is off by half its row's step at most, b by half its column's: |ab − a'b'| ≤ |a| |b − b'| + |b'| |a − a'|.
                    double stepA = ByteCode.IsCurrent ? (Row(a, i, k).Max() - Row(a, i, k).Min()) / 255 : Row(a, i, k).Max(Math.Abs) / RowRounding.Levels(k), stepB = Row(b, j, k).Max(Math.Abs) / 127.0, sum = 0, bound = 0;
                    for (int p = 0; p < k; p++)
                    {
                        (double u, double v) = (a[(i * k) + p], b[(j * k) + p]);
                        sum += u * v;
                        bound += (Math.Abs(u) * stepB / 2) + ((Math.Abs(v) + (stepB / 2)) * stepA / 2);
                    }

                    Assert.True(Math.Abs(c[(i * n) + j] - sum) <= bound * (1 + 1e-5), $"{m} × {n} × {k}: ({i}, {j}) is {c[(i * n) + j]}; {sum} ± {bound} was expected");
                }
            }
        }

        static IEnumerable<double> Row(float[] values, int row, int width) => values.Skip(row * width).Take(width).Select(value => (double)value).DefaultIfEmpty();
    }

    [Fact]
    public void ARowFarFromZeroOrOfLargeOrSmallNumbersIsRoundedWithinItsRange()
    {
        const int depth = 85;
        foreach ((float middle, float half) in ((float, float)[])[(1, 5e-5f), (1, 1e-5f), (-1, 1e-6f), (1000, 1e-3f), (0, 1e36f), (0, 1e-29f), (1e-29f, 1e-29f)])
        {
            using var scope = new TensorScope();
            float[] row = [.. Enumerable.Range(0, depth).Select(i => middle + (half * (float)Math.Sin(i + 1)))];
            for (int at = 0; at < depth; at += 28)
            {
                Tensor weight = Tensor.Zeros([1, depth]);
                weight.AsSpan<float>()[at] = 1;
                weight.Freeze();
                // One weight of 1: what comes out is the element as it was rounded.
                double range = (double)row.Max() - row.Min(), step = ByteCode.IsCurrent ? range / 255 : 2.0 * row.Max(Math.Abs) / RowRounding.Levels(depth), actual = Product(Tensor.From(row, [1, depth]), weight)[0];
                Assert.True(Math.Abs(actual - row[at]) <= (step / 2 * 1.001) + (Math.Abs(row[at]) * 3e-7), $"{middle} ± {half}: element {at} is {actual}; {row[at]} ± {step / 2} was expected");
            }
        }
    }

    [Fact]
    public void TheLargestIntegersOfALongSumDoNotSaturate()
    {
        const int depth = 3072;
        using var scope = new TensorScope();
        foreach (float first in (float[])[-3, 0])
        {
            Tensor x = Tensor.Full([7, depth], -3), weight = Tensor.Full([33, depth], -2);
            for (int row = 0; row < 7; row++) x.AsSpan<float>()[row * depth] = first;
            weight.Freeze();
            float sum = 6f * (depth - 1) - (2 * first);
            Assert.All(Product(x, weight), value => Assert.Equal(sum, value, sum * 1e-6f));
        }
    }

    [Theory]
    [InlineData(1, 32767)]
    [InlineData(516, 32767)]
    [InlineData(1536, 11008)]
    [InlineData(Int8PackedMatrix.MostRows, 127)]
    public void ARowTakesAsManyLevelsAsItsSumsHaveRoomFor(int depth, int levels)
    {
        Assert.Equal(levels, RowRounding.Levels(depth));
        Assert.InRange(127L * levels * depth, 0, int.MaxValue);
    }

    [Fact]
    public void ARowDependsNeitherOnTheOthersNorOnThreads()
    {
        using var scope = new TensorScope();
        (Tensor x, Tensor weight) = (Normal([97, 384], 5), Frozen([768, 384], 6));
        float[] all = Product(x, weight);
        foreach (int threads in (int[])[1, 2, 3])
        {
            int before = Compute.Threads;
            Compute.Threads = threads;
            try
            {
                Assert.Equal(all, Product(x, weight));
            }
            finally
            {
                Compute.Threads = before;
            }
        }

        float[] values = x.ToArray<float>();
        for (int row = 0; row < 97; row += 16) Assert.Equal(all[(row * 768)..((row + 1) * 768)], Product(Tensor.From(values[(row * 384)..((row + 1) * 384)], [1, 384]), weight));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void ARowWithSomethingThatIsNoNumberIsNaNAndTheOthersAreNot(float odd)
    {
        using var scope = new TensorScope();
        Tensor x = Normal([9, 40], 7), weight = Frozen([20, 40], 8);
        x.AsSpan<float>()[(4 * 40) + 39] = odd;
        float[] c = Product(x, weight);
        for (int i = 0; i < c.Length; i++) Assert.Equal(i / 20 == 4, float.IsNaN(c[i]));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void AWeightThatIsNoNumberMakesItsColumnNaNAndNoOther(float odd)
    {
        using var scope = new TensorScope();
        Tensor x = Normal([9, 40], 7), weight = Normal([20, 40], 8);
        weight.AsSpan<float>()[(4 * 40) + 39] = odd;
        weight.Freeze();
        float[] c = Product(x, weight);
        for (int i = 0; i < c.Length; i++) Assert.Equal(i % 20 == 4, float.IsNaN(c[i]));
    }

    [Fact]
    public void RowsAndColumnsOfZerosGiveZeros()
    {
        using var scope = new TensorScope();
        Tensor x = Normal([3, 10], 9), weight = Normal([18, 10], 10);
        x.AsSpan<float>()[..10].Fill(1e-38f);
        weight.AsSpan<float>().Slice(170, 10).Clear();
        weight.Freeze();
        float[] c = Product(x, weight);
        for (int i = 0; i < c.Length; i++) Assert.Equal(i < 18 || i % 18 == 17, c[i] == 0);
    }

    [Fact]
    public void TheEpilogueIsThatOfTheFloat32Product()
    {
        foreach ((int m, int n, int k) in ((int, int, int)[])[(5, 17, 8), (33, 96, 64), (64, 40, 20)])
        {
            using var scope = new TensorScope();
            (Tensor x, Tensor weight) = (Normal([m, k], 11), Frozen([n, k], 12));
            Tensor plain = Tensor.From(Product(x, weight), [m, n]), identity = Tensor.Zeros([n, n]);
            for (int i = 0; i < n; i++) identity.AsSpan<float>()[(i * n) + i] = 1;
            (Tensor bias, Tensor left, Tensor right, Tensor residual, Tensor start) = (Normal([n], 13), Normal([m, 3], 14), Normal([3, n], 15), Normal([m, n], 16), Normal([m, n], 17));
            foreach (int parts in Enumerable.Range(0, 16))
            {
                (Tensor c, Tensor expected) = (start.Clone(), start.Clone());
                (Tensor activated, Tensor expectedActivated) = (Tensor.Zeros([m, n]), Tensor.Zeros([m, n]));
                var epilogue = new Epilogue(
                    (parts & 1) != 0 ? bias : null, (parts & 2) != 0 ? left : null, (parts & 2) != 0 ? right : null, 0.5, (parts & 4) != 0 ? residual : null, (parts & 8) != 0 ? activated : null,
                    (parts & 8) != 0 ? Activation.Gelu : Activation.None);
                x.Device.Kernels.MatMul(x, false, weight, true, c, 0.7, -0.3, epilogue, Precision.Int8);
                x.Device.Kernels.MatMul(plain, false, identity, false, expected, 0.7, -0.3, epilogue with { Activated = (parts & 8) != 0 ? expectedActivated : null });
                Close(expected, c, 1e-4);
                Close(expectedActivated, activated, 1e-4 + CoarseGelu<float>.Error);
            }
        }

        static void Close(Tensor expected, Tensor actual, double tolerance)
        {
            foreach ((float a, float b) in expected.ToArray<float>().Zip(actual.ToArray<float>())) Assert.Equal(a, b, tolerance);
        }
    }

    [Fact]
    public void AWeightThatIsTrainedAndAGradientAreFloat32()
    {
        using var scope = new TensorScope();
        (Tensor x, Tensor weight, Tensor dy) = (Normal([8, 20], 18), Normal([16, 20], 19), Normal([8, 16], 20));
        (Tensor one, Tensor other) = (Tensor.Empty([8, 16]), Tensor.Empty([8, 16]));
        x.Device.Kernels.MatMul(x, false, weight, true, one, precision: Precision.Int8);
        x.Device.Kernels.MatMul(x, false, weight, true, other);
        Assert.Equal(other.ToArray<float>(), one.ToArray<float>());
        weight.Freeze();
        (Tensor dx, Tensor dxOther) = (Tensor.Empty([8, 20]), Tensor.Empty([8, 20]));
        x.Device.Kernels.MatMul(dy, false, weight, false, dx, precision: Precision.Int8);
        x.Device.Kernels.MatMul(dy, false, weight, false, dxOther);
        Assert.Equal(dxOther.ToArray<float>(), dx.ToArray<float>());
    }

    [Fact]
    public unsafe void AWeightTakesAQuarterOfItsMemory()
    {
        using var scope = new TensorScope();
        Tensor weight = Frozen([1536, 384], 21);
        using var packed = new Int8PackedMatrix(weight.F32, 384, 384, 1536);
        Assert.Equal((1536 * 384) + (1536 * sizeof(float) * (packed.IsOfBytes ? 2 : 1)), packed.Bytes);
    }

    /// <summary>Runs on vectors of 256 bits at most, whose rows are 16-bit integers.</summary>
    private static void OnPairs(Action test)
    {
        SimdPaths.Forced = SimdPaths.IsSupported(SimdPath.Vector256) ? SimdPath.Vector256 : SimdPath.Portable;
        try
        {
            test();
        }
        finally
        {
            SimdPaths.Forced = null;
        }
    }

    /// <summary>The operands rounded as <see cref="ByteRounding"/> says, and the size of what is added up.</summary>
    private static (float[] Sums, double[] Sizes) ExpectedOfBytes(Tensor x, Tensor weight)
    {
        (int m, int n, int k) = (x.Shape[0], weight.Shape[0], x.Shape[1]);
        float[] values = x.ToArray<float>();
        (int[] Values, float[] Scales) b = Rounded(weight.ToArray<float>(), n, k, 127);
        (float[] sums, double[] sizes) = (new float[m * n], new double[m * n]);
        for (int i = 0; i < m; i++)
        {
            float[] row = values[(i * k)..((i + 1) * k)];
            (float least, float range) = k == 0 ? (0, 0) : (row.Min(), (row.Max() / 2) - (row.Min() / 2));
            (float factor, float scale) = range == 0 ? (0, 0) : (255 / range, 2 * (range / 255));
            for (int j = 0; j < n; j++)
            {
                long products = 0, weights = 0;
                for (int p = 0; p < k; p++)
                {
                    products += (long)MathF.Round(MathF.FusedMultiplyAdd(row[p], 0.5f, -least / 2) * factor) * b.Values[(j * k) + p];
                    weights += b.Values[(j * k) + p];
                }

                double first = products * (double)scale * b.Scales[j], second = weights * (double)least * b.Scales[j];
                (sums[(i * n) + j], sizes[(i * n) + j]) = ((float)(first + second), Math.Abs(first) + Math.Abs(second));
            }
        }

        return (sums, sizes);
    }

    private static float[] ProductOn(BytePath path, Tensor x, Tensor weight)
    {
        ByteCode.Forced = path;
        try
        {
            return Product(x, weight);
        }
        finally
        {
            ByteCode.Forced = null;
        }
    }

    private static float[] Product(Tensor x, Tensor weight)
    {
        Tensor c = Tensor.Full([x.Shape[0], weight.Shape[0]], float.NaN);
        x.Device.Kernels.MatMul(x, false, weight, true, c, precision: Precision.Int8);
        return c.ToArray<float>();
    }

    /// <summary>The operands rounded as the docstring says, their products summed exactly.</summary>
    private static float[] Expected(Tensor x, Tensor weight)
    {
        (int m, int n, int k) = (x.Shape[0], weight.Shape[0], x.Shape[1]);
        ((int[] Values, float[] Scales) a, (int[] Values, float[] Scales) b) = (Rounded(x.ToArray<float>(), m, k, RowRounding.Levels(k)), Rounded(weight.ToArray<float>(), n, k, 127));
        var c = new float[m * n];
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                long sum = 0;
                for (int p = 0; p < k; p++) sum += (long)a.Values[(i * k) + p] * b.Values[(j * k) + p];
                c[(i * n) + j] = (float)(sum * (double)a.Scales[i] * b.Scales[j]);
            }
        }

        return c;
    }

    private static (int[] Values, float[] Scales) Rounded(float[] values, int rows, int columns, float levels)
    {
        var scales = new float[rows];
        for (int i = 0; i < values.Length; i++) scales[i / columns] = Math.Max(scales[i / columns], Math.Abs(values[i]));
        int[] integers = [.. values.Select((value, i) => (int)MathF.Round(value * (levels / scales[i / columns])))];
        return (integers, [.. scales.Select(largest => largest / levels)]);
    }

    private static Tensor Frozen(Shape shape, uint stream) => Normal(shape, stream).Freeze();

    private static Tensor Normal(Shape shape, uint stream)
    {
        Tensor tensor = Tensor.Empty(shape);
        if (tensor.Count > 0) new Philox(7, stream).FillNormal(tensor.AsSpan<float>(), 0, 1);
        return tensor;
    }
}
