using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>Rows of every length around the registers' widths, in every type, with the numbers that have rules of their own, against one element after the other.</summary>
public sealed class FamilyRowTests
{
    private static readonly int[] Lengths = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129, 300];
    private static readonly DType[] Types = [DType.Bool, DType.Int32, DType.Int64, DType.Float32, DType.Float64];
    private static readonly double[] Special = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0, double.NegativeZero, 1, -1, 3e38, 1e-40];

    [Fact]
    public void ConditionsChooseElementByElement()
    {
        foreach ((DType type, int n, Random random) in Cases([.. Types, DType.Float16, DType.BFloat16]))
        {
            using var scope = new TensorScope();
            bool[] condition = [.. Enumerable.Range(0, n).Select(_ => random.Next(2) == 1)];
            (double[] x, double[] y) = (Draw(type, n, random), Draw(type, n, random));
            Tensor which = Tensor.From(condition, [n]);
            (Tensor a, Tensor b, Tensor one) = (Of(x, type), Of(y, type), Of([y[0]], type));
            double[] left = Values(a), right = Values(b);
            Assert.Equal(condition.Select((c, i) => c ? left[i] : right[i]), Values(Ops.Where(which, a, b)));
            Assert.Equal(condition.Select((c, i) => c ? left[i] : right[0]), Values(Ops.Where(which, a, one)));
            Assert.Equal(condition.Select((c, i) => c ? right[0] : left[i]), Values(Ops.Where(which, one, a)));
        }
    }

    [Fact]
    public void ComparisonsHoldElementByElement()
    {
        (Func<Tensor, Tensor, Tensor> Op, Func<double, double, bool> Holds)[] comparisons =
        [
            (Ops.Equal, (a, b) => a == b),
            (Ops.NotEqual, (a, b) => a != b),
            (Ops.Less, (a, b) => a < b),
            (Ops.LessOrEqual, (a, b) => a <= b),
            (Ops.Greater, (a, b) => a > b),
            (Ops.GreaterOrEqual, (a, b) => a >= b),
            (Ops.LogicalAnd, (a, b) => a != 0 && b != 0),
            (Ops.LogicalOr, (a, b) => a != 0 || b != 0),
            (Ops.LogicalXor, (a, b) => (a != 0) != (b != 0)),
        ];
        foreach ((DType type, int n, Random random) in Cases(Types))
        {
            using var scope = new TensorScope();
            (Tensor a, Tensor b) = (Of(Draw(type, n, random), type), Of(Draw(type, n, random), type));
            Tensor one = Of([Values(b)[0]], type);
            double[] left = Values(a), right = Values(b);
            foreach ((Func<Tensor, Tensor, Tensor> op, Func<double, double, bool> holds) in comparisons)
            {
                Assert.Equal(left.Zip(right, holds), op(a, b).ToArray<bool>());
                Assert.Equal(left.Select(v => holds(v, right[0])), op(a, one).ToArray<bool>());
                Assert.Equal(left.Select(v => holds(right[0], v)), op(one, a).ToArray<bool>());
            }
        }
    }

    [Fact]
    public void ExtremesKeepNaNAndTheSignOf0()
    {
        foreach ((DType type, int n, Random random) in Cases(Types).SelectMany(c => Enumerable.Repeat(c, 4)).Append((DType.Float32, 50_000, new Random(1))))
        {
            using var scope = new TensorScope();
            double[] drawn = Draw(type, n, random);
            double[] finite = [.. drawn.Select(v => double.IsFinite(v) ? v : -0.0)];
            foreach (double[] values in new[] { drawn, finite, [.. finite.Select(v => -Math.Abs(v))], [.. finite.Select(Math.Abs)] })
            {
                Tensor x = Of(values, type);
                double[] held = Values(x);
                Assert.Equal(BitConverter.DoubleToInt64Bits(held.Aggregate(Math.Max)), BitConverter.DoubleToInt64Bits(Values(Ops.Max(x))[0]));
                Assert.Equal(BitConverter.DoubleToInt64Bits(held.Aggregate(Math.Min)), BitConverter.DoubleToInt64Bits(Values(Ops.Min(x))[0]));
            }
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(16, 37)]
    [InlineData(17, 100)]
    [InlineData(100, 33)]
    [InlineData(300, 129)]
    public void SumsOverEitherAxis(int rows, int columns)
    {
        using var scope = new TensorScope();
        var random = new Random(rows);
        float[] values = [.. Enumerable.Range(0, rows * columns).Select(_ => (float)random.NextDouble() - 0.5f)];
        Tensor x = Tensor.From(values, [rows, columns]);
        float[] down = Ops.Sum(x, 0).ToArray<float>(), along = Ops.Sum(x, 1).ToArray<float>();
        for (int c = 0; c < columns; c++) Assert.Equal(Enumerable.Range(0, rows).Sum(r => (double)values[(r * columns) + c]), down[c], 1e-4);
        for (int r = 0; r < rows; r++) Assert.Equal(values.Skip(r * columns).Take(columns).Sum(v => (double)v), along[r], 1e-5);
        Assert.Equal(values.Sum(v => (double)v), Ops.Sum(x).Item(), 1e-4);
    }

    [Fact]
    public void ArithmeticRepeatsWhatIsSmaller()
    {
        using var scope = new TensorScope();
        Tensor x = Ops.Reshape(Of([1, 2, 3, 4, 5, 6], DType.Float32), 2, 3);
        Assert.Equal([9, 8, 7, 6, 5, 4], Values(Ops.Subtract(10, x)));
        Assert.Equal([2.5, 5, 7.5, 10, 12.5, 15], Values(Ops.Multiply(x, 2.5)));
        Assert.Equal([2, 4, 6, 12, 15, 18], Values(Ops.Multiply(x, Ops.Reshape(Of([2, 3], DType.Float32), 2, 1))));
        Assert.Equal([0, 0, 0, 3, 3, 3], Values(Ops.Subtract(x, Of([1, 2, 3], DType.Float32))));
        Assert.Equal([2, 6, 3, 7, 4, 8], Values(Ops.Add(Ops.Transpose(x, 0, 1), Of([1, 2], DType.Float32))));
    }

    private static IEnumerable<(DType Type, int Length, Random Random)> Cases(DType[] types) =>
        from type in types from n in Lengths select (type, n, new Random(n));

    private static double[] Draw(DType type, int n, Random random) =>
        [.. Enumerable.Range(0, n).Select(_ => type == DType.Bool ? random.Next(2) : !type.IsFloat() ? random.Next(-3, 4) : random.Next(4) == 0 ? Special[random.Next(Special.Length)] : random.NextDouble() - 0.5)];

    private static Tensor Of(double[] values, DType type)
    {
        Tensor x = Tensor.From(values, [values.Length]);
        return type is DType.Float16 or DType.BFloat16 ? x.To(DType.Float32).To(type) : x.To(type);
    }

    private static double[] Values(Tensor x) => (x.DType is DType.Float16 or DType.BFloat16 ? x.To(DType.Float32) : x).To(DType.Float64).ToArray<double>();
}
