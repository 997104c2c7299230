using System.Numerics;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Rows;

namespace LoRA2.Native.Tensors.Tests.Cpu;

public sealed unsafe class ElementwiseTests : KernelTest
{
    [Fact]
    public void Float() => All<float>();

    [Fact]
    public void Double() => All<double>();

    private static void All<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (int n in Lengths)
        {
            double[] x = Random(n, n), y = Random(n, n + 1), z = Random(n, n + 2);
            using var a = Array<T>(x);
            using var b = Array<T>(y);
            T s = Of<T>(0.75);
            Is(z, x.Zip(y, (p, q) => p + q), o => Elementwise.Add(a.Pointer, b.Pointer, n, o));
            Is(z, x.Zip(y, (p, q) => p - q), o => Elementwise.Subtract(a.Pointer, b.Pointer, n, o));
            Is(z, x.Zip(y, (p, q) => p * q), o => Elementwise.Multiply(a.Pointer, b.Pointer, n, o));
            Is(z, x.Zip(y, (p, q) => p * q).Zip(z, (p, q) => p + q), o => Elementwise.Multiply(a.Pointer, b.Pointer, n, o, accumulate: true));
            Is(z, x.Select(p => p * 0.75), o => Elementwise.Scale(a.Pointer, s, n, o));
            Is(z, x.Zip(z, (p, q) => (0.75 * p) + q), o => Elementwise.AddScaled(a.Pointer, s, n, o));
            Is(z, x.Zip(z, (p, q) => p + q), o => Elementwise.Accumulate(a.Pointer, n, o));
            Is(z, x.Select(_ => 0.75), o => Elementwise.Fill(s, n, o));
            Is(z, x, o => Elementwise.Copy(a.Pointer, n, o));
            Is(z, x.Select(p => Math.Max(p, 0)), o => Activations.Forward(Activation.Relu, a.Pointer, n, o));
            Is(z, x.Zip(y, (p, q) => p > 0 ? q : 0), o => Activations.Backward(Activation.Relu, a.Pointer, b.Pointer, n, o, accumulate: false));
            Is(z, x.Zip(y, (p, q) => p > 0 ? q : 0).Zip(z, (p, q) => p + q), o => Activations.Backward(Activation.Relu, a.Pointer, b.Pointer, n, o, accumulate: true));
        }

        void Is(double[] initial, IEnumerable<double> expected, Kernel<T> kernel)
        {
            using var output = SameForAnyThreads<T>(initial, o => kernel(o.Pointer));
            Close(expected.ToArray(), output, single: 2e-7, twice: 1e-15);
        }
    }

    [Fact]
    public void RowsAndColumnsFloat() => RowsAndColumns<float>();

    [Fact]
    public void RowsAndColumnsDouble() => RowsAndColumns<double>();

    private static void RowsAndColumns<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach ((int rows, int columns) in Shapes)
        {
            double[] x = Random(rows * columns, rows + columns), bias = Random(columns, 3), side = Random(rows, 4);
            using var a = Array<T>(x);
            using var b = Array<T>(bias);
            using var sum = SameForAnyThreads<T>(x, o => AddRow.Run(o.Pointer, b.Pointer, rows, columns, o.Pointer));
            Close(x.Select((v, i) => v + bias[i % columns]).ToArray(), sum);

            double[] byColumn = Enumerable.Range(0, columns).Select(c => Enumerable.Range(0, rows).Sum(r => x[(r * columns) + c])).ToArray();
            using var total = SameForAnyThreads<T>(bias, o => ColumnSum.Run(a.Pointer, rows, columns, columns, o.Pointer, accumulate: false));
            Close(byColumn, total, single: 2e-5, twice: 1e-12);
            using var added = SameForAnyThreads<T>(bias, o => ColumnSum.Run(a.Pointer, rows, columns, columns, o.Pointer, accumulate: true));
            Close(byColumn.Zip(bias, (p, q) => p + q).ToArray(), added, single: 2e-5, twice: 1e-12);

            double[] byRow = Enumerable.Range(0, rows).Select(r => 0.5 * x.AsSpan(r * columns, columns).ToArray().Sum()).ToArray();
            using var rowSums = SameForAnyThreads<T>(side, o => RowSum.Run(a.Pointer, Of<T>(0.5), rows, columns, o.Pointer, accumulate: false));
            Close(byRow, rowSums, single: 1e-4, twice: 1e-11);
        }
    }

    [Fact]
    public void ReductionsFloat() => Reductions<float>();

    [Fact]
    public void ReductionsDouble() => Reductions<double>();

    private static void Reductions<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (int n in Lengths)
        {
            double[] x = Random(n, n), y = Random(n, n + 1);
            using var a = Array<T>(x);
            using var b = Array<T>(y);
            using var sums = SameForAnyThreads<double>(
                new double[5],
                o =>
                {
                    o.Pointer[0] = Reduction.Sum(a.Pointer, n);
                    o.Pointer[1] = Reduction.SumOfSquares(a.Pointer, n);
                    o.Pointer[2] = Reduction.Dot(a.Pointer, b.Pointer, n);
                    o.Pointer[3] = Reduction.SumOfSquaredDifferences(a.Pointer, b.Pointer, n);
                    o.Pointer[4] = Reduction.AllFinite(a.Pointer, n) ? 1 : 0;
                });
            double[] expected =
            [
                x.Sum(), x.Sum(v => v * v), x.Zip(y, (p, q) => p * q).Sum(), x.Zip(y, (p, q) => (p - q) * (p - q)).Sum(), 1,
            ];
            Close(expected, sums, twice: 1e-11);
            if (n == 0) continue;
            foreach (T bad in new[] { T.NaN, T.PositiveInfinity, T.NegativeInfinity })
            {
                a.Span[(n * 7 / 8) % n] = bad;
                Assert.False(Reduction.AllFinite(a.Pointer, n));
            }
        }
    }

    private delegate void Kernel<T>(T* output)
        where T : unmanaged;
}
