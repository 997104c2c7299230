using System.Numerics;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Rows;

namespace LoRA2.Native.Tensors.Tests.Cpu;

public sealed unsafe class LayerNormTests : KernelTest
{
    private const double Epsilon = 1e-5;

    [Fact]
    public void Float() => All<float>();

    [Fact]
    public void Double() => All<double>();

    private static void All<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach ((int rows, int columns) in Shapes)
        {
            int n = rows * columns;
            double[] x = Random(n, n), other = Random(n, n + 1), dy = Random(n, n + 2), z = Random(n, n + 3);
            double[] gamma = Random(columns, 1), beta = Random(columns, 2);
            double[] total = x.Zip(other, (p, q) => p + q).ToArray();
            using var a = Array<T>(x);
            using var residual = Array<T>(other);
            using var g = Array<T>(gamma);
            using var b = Array<T>(beta);
            using var upstream = Array<T>(dy);
            using var mean = new GuardedArray<T>(rows);
            using var inverse = new GuardedArray<T>(rows);
            using var sum = new GuardedArray<T>(n);
            // A row of 1 to 3 nearly equal elements has a small variance, which magnifies float's rounding.
            double single = columns < 4 ? 2e-3 : 5e-5;

            using var y = SameForAnyThreads<T>(
                z,
                o => LayerNorm.Forward(
                    a.Pointer, null, g.Pointer, b.Pointer, rows, columns, Epsilon, null, o.Pointer, mean.Pointer, inverse.Pointer));
            Close(Forward(x, gamma, beta, rows, columns), y, single, 1e-11);

            using var summed = SameForAnyThreads<T>(
                z,
                o => LayerNorm.Forward(
                    a.Pointer, residual.Pointer, g.Pointer, b.Pointer, rows, columns, Epsilon, sum.Pointer, o.Pointer, mean.Pointer, inverse.Pointer));
            Close(total, sum);
            Close(Forward(total, gamma, beta, rows, columns), summed, single, 1e-11);
            mean.Check();
            inverse.Check();

            (double[] dx, double[] dgamma, double[] dbeta) = Backward(total, gamma, dy, rows, columns);
            // The gradient is divided by the deviation: measured against its own largest value.
            double floor = dx.Select(Math.Abs).DefaultIfEmpty().Max() + 1;
            using var ax = SameForAnyThreads<T>(z, o => Input(o, accumulate: false));
            Close(dx, ax, single, 1e-10, floor);
            using var added = SameForAnyThreads<T>(z, o => Input(o, accumulate: true));
            Close(dx.Zip(z, (p, q) => p + q).ToArray(), added, single, 1e-10, floor);

            using var db = new GuardedArray<T>(columns);
            using var dg = SameForAnyThreads<T>(gamma, o => Parameters(o, db, accumulate: false));
            Close(dgamma, dg, Math.Max(single, 2e-4), 1e-9);
            Close(dbeta, db, 5e-5, 1e-11);
            using var accumulated = SameForAnyThreads<T>(gamma, o => Parameters(o, db, accumulate: true));
            Close(dgamma.Zip(gamma, (p, q) => p + q).ToArray(), accumulated, Math.Max(single, 2e-4), 1e-9);

            void Input(GuardedArray<T> o, bool accumulate) => LayerNormGradient.Input(
                sum.Pointer, g.Pointer, mean.Pointer, inverse.Pointer, upstream.Pointer, rows, columns, o.Pointer, accumulate);
            void Parameters(GuardedArray<T> o, GuardedArray<T> o2, bool accumulate) => LayerNormGradient.Parameters(
                sum.Pointer, mean.Pointer, inverse.Pointer, upstream.Pointer, rows, columns, o.Pointer, o2.Pointer, accumulate);
        }
    }

    private static double[] Forward(double[] x, double[] gamma, double[] beta, int rows, int columns)
    {
        var y = new double[x.Length];
        for (int r = 0; r < rows; r++)
        {
            double[] normal = Normal(x.AsSpan(r * columns, columns).ToArray(), out _);
            for (int c = 0; c < columns; c++) y[(r * columns) + c] = (normal[c] * gamma[c]) + beta[c];
        }

        return y;
    }

    private static (double[] X, double[] Gamma, double[] Beta) Backward(double[] x, double[] gamma, double[] dy, int rows, int columns)
    {
        var dx = new double[x.Length];
        var dgamma = new double[columns];
        var dbeta = new double[columns];
        for (int r = 0; r < rows; r++)
        {
            double[] normal = Normal(x.AsSpan(r * columns, columns).ToArray(), out double inverse);
            double[] g = Enumerable.Range(0, columns).Select(c => gamma[c] * dy[(r * columns) + c]).ToArray();
            double mean = columns == 0 ? 0 : g.Average();
            double dot = columns == 0 ? 0 : g.Zip(normal, (p, q) => p * q).Average();
            for (int c = 0; c < columns; c++)
            {
                dx[(r * columns) + c] = (g[c] - mean - (normal[c] * dot)) * inverse;
                dgamma[c] += dy[(r * columns) + c] * normal[c];
                dbeta[c] += dy[(r * columns) + c];
            }
        }

        return (dx, dgamma, dbeta);
    }

    private static double[] Normal(double[] row, out double inverse)
    {
        double mean = row.Length == 0 ? 0 : row.Average();
        double variance = row.Length == 0 ? 0 : row.Average(v => (v - mean) * (v - mean));
        double factor = inverse = 1 / Math.Sqrt(variance + Epsilon);
        return row.Select(v => (v - mean) * factor).ToArray();
    }
}
