using System.Numerics;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Rows;

namespace LoRA2.Native.Tensors.Tests.Cpu;

public sealed unsafe class LossTests : KernelTest
{
    [Fact]
    public void Float() => All<float>();

    [Fact]
    public void Double() => All<double>();

    private static void All<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach ((int rows, int classes) in Shapes)
        {
            int n = rows * classes;
            double[] x = Random(n, n, scale: 10), z = Random(n, n + 1), target = Random(n, n + 2);
            int[] labels = Enumerable.Range(0, rows).Select(r => r % 5 == 3 || classes == 0 ? -100 : r * 7 % classes).ToArray();
            using var a = Array<T>(x);
            using var t = Array<T>(target);
            using var l = new GuardedArray<int>(labels);

            (double loss, double[] gradient) = Reference(x, labels, rows, classes, 0.5);
            using var losses = SameForAnyThreads<double>(
                new double[2],
                o =>
                {
                    o.Pointer[0] = CrossEntropy.Forward(a.Pointer, l.Pointer, rows, classes);
                    o.Pointer[1] = MeanSquaredError.Forward(a.Pointer, t.Pointer, n);
                });
            double squares = n == 0 ? 0 : x.Zip(target, (p, q) => (p - q) * (p - q)).Average();
            Close([loss, squares], losses, twice: IsSingle<T>() ? 1e-6 : 1e-12);

            T half = Of<T>(0.5);
            using var dx = SameForAnyThreads<T>(
                z, o => CrossEntropy.Backward(a.Pointer, l.Pointer, half, rows, classes, o.Pointer, accumulate: false));
            Close(gradient, dx, single: 1e-6);
            using var added = SameForAnyThreads<T>(
                z, o => CrossEntropy.Backward(a.Pointer, l.Pointer, half, rows, classes, o.Pointer, accumulate: true));
            Close(gradient.Zip(z, (p, q) => p + q).ToArray(), added, single: 1e-6);

            double[] difference = x.Zip(target, (p, q) => (p - q) / n).ToArray();
            using var mse = SameForAnyThreads<T>(
                z, o => MeanSquaredError.Backward(a.Pointer, t.Pointer, half, n, o.Pointer, accumulate: false));
            Close(difference, mse, single: 1e-6);
            using var mseAdded = SameForAnyThreads<T>(
                z, o => MeanSquaredError.Backward(a.Pointer, t.Pointer, half, n, o.Pointer, accumulate: true));
            Close(difference.Zip(z, (p, q) => p + q).ToArray(), mseAdded, single: 1e-6);
        }
    }

    [Fact]
    public void RowsWithoutALabelCostNothingAndGetNoGradient()
    {
        float* x = stackalloc float[] { 1, 2, 3, 4 };
        int* labels = stackalloc int[] { -100, -1 };
        float* dx = stackalloc float[] { 9, 9, 9, 9 };
        Assert.Equal(0, CrossEntropy.Forward(x, labels, 2, 2));
        CrossEntropy.Backward(x, labels, 1f, 2, 2, dx, accumulate: true);
        Assert.Equal([9f, 9, 9, 9], new ReadOnlySpan<float>(dx, 4).ToArray());
        CrossEntropy.Backward(x, labels, 1f, 2, 2, dx, accumulate: false);
        Assert.Equal([0f, 0, 0, 0], new ReadOnlySpan<float>(dx, 4).ToArray());
    }

    private static (double Loss, double[] Gradient) Reference(double[] x, int[] labels, int rows, int classes, double upstream)
    {
        int counted = labels.Count(l => l >= 0);
        double loss = 0;
        var gradient = new double[x.Length];
        for (int r = 0; r < rows; r++)
        {
            if (labels[r] < 0) continue;
            double[] row = x.AsSpan(r * classes, classes).ToArray();
            double max = row.Max();
            double sum = row.Sum(v => Math.Exp(v - max));
            loss += Math.Log(sum) + max - row[labels[r]];
            for (int c = 0; c < classes; c++)
                gradient[(r * classes) + c] = upstream / counted * ((Math.Exp(row[c] - max) / sum) - (c == labels[r] ? 1 : 0));
        }

        return (counted == 0 ? 0 : loss / counted, gradient);
    }
}
