using System.Numerics;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Rows;

namespace LoRA2.Native.Tensors.Tests.Cpu;

public sealed unsafe class SoftmaxTests : KernelTest
{
    [Fact]
    public void Float() => All<float>();

    [Fact]
    public void Double() => All<double>();

    private static void All<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach ((int rows, int columns) in Shapes)
        {
            const int RowsPerMask = 2;
            double[] x = Random(rows * columns, rows + columns, scale: 8), dy = Random(rows * columns, 5), z = Random(rows * columns, 6);
            int[] keep = Random(((rows / RowsPerMask) + 1) * columns, 7).Select(v => v > -0.5 ? 3 : 0).ToArray();
            if (rows > 20) System.Array.Clear(keep, 4 * columns, columns);
            using var a = Array<T>(x);
            using var upstream = Array<T>(dy);
            using var mask = new GuardedArray<int>(keep);

            Check(_ => true, 1, o => Softmax.Forward(a.Pointer, rows, columns, o.Pointer));
            Check(
                i => keep[(i / columns / RowsPerMask * columns) + (i % columns)] != 0,
                0.25,
                o => Softmax.ForwardMasked(a.Pointer, mask.Pointer, RowsPerMask, Of<T>(0.25), rows, columns, o.Pointer));

            void Check(Func<int, bool> kept, double scale, Action<GuardedArray<T>> kernel)
            {
                double[] expected = Reference(x, rows, columns, scale, kept);
                using var y = SameForAnyThreads<T>(z, kernel);
                Close(expected, y, single: 1e-6);
                for (int i = 0; i < expected.Length; i++) Assert.True(kept(i) || y[i] == T.Zero);

                double[] gradient = Gradient(expected, dy, rows, columns, scale);
                T s = Of<T>(scale);
                using var dx = SameForAnyThreads<T>(
                    z, o => Softmax.Backward(y.Pointer, upstream.Pointer, s, rows, columns, o.Pointer, accumulate: false));
                Close(gradient, dx, single: 2e-6);
                using var added = SameForAnyThreads<T>(
                    z, o => Softmax.Backward(y.Pointer, upstream.Pointer, s, rows, columns, o.Pointer, accumulate: true));
                Close(gradient.Zip(z, (p, q) => p + q).ToArray(), added, single: 2e-6);
                using var inPlace = SameForAnyThreads<T>(
                    dy, o => Softmax.Backward(y.Pointer, o.Pointer, s, rows, columns, o.Pointer, accumulate: false));
                Close(gradient, inPlace, single: 2e-6);
            }
        }
    }

    [Fact]
    public void Extremes()
    {
        Assert.Equal([0f, 0f, 0f], Row([float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity]));
        Assert.Equal([0.5f, 0.5f, 0f], Row([3e38f, 3e38f, float.NegativeInfinity]));
        Assert.Equal([1f, 0f], Row([3e38f, -3e38f]));
        Assert.All(Row([1, float.NaN, 2]), v => Assert.True(float.IsNaN(v)));
        Assert.All(Row([float.NaN, float.NegativeInfinity]), v => Assert.True(float.IsNaN(v)));
        Assert.Equal([0f, 1f, 0f], Row([5, 1, float.NaN], [0, 1, 0]));
        Assert.Equal([0f, 0f], Row([5, 1], [0, 0]));
    }

    private static float[] Row(float[] x, int[]? mask = null)
    {
        var y = new float[x.Length];
        fixed (float* from = x, to = y)
        fixed (int* keep = mask)
            Softmax.ForwardMasked(from, keep, 1, 1f, 1, x.Length, to);
        return y;
    }

    private static double[] Reference(double[] x, int rows, int columns, double scale, Func<int, bool> kept)
    {
        var y = new double[x.Length];
        for (int r = 0; r < rows; r++)
        {
            int[] row = Enumerable.Range(r * columns, columns).Where(kept).ToArray();
            if (row.Length == 0) continue;
            double max = row.Max(i => scale * x[i]);
            double sum = row.Sum(i => Math.Exp((scale * x[i]) - max));
            foreach (int i in row) y[i] = Math.Exp((scale * x[i]) - max) / sum;
        }

        return y;
    }

    private static double[] Gradient(double[] y, double[] dy, int rows, int columns, double scale)
    {
        var dx = new double[y.Length];
        for (int r = 0; r < rows; r++)
        {
            double dot = Enumerable.Range(r * columns, columns).Sum(i => y[i] * dy[i]);
            for (int i = r * columns; i < (r + 1) * columns; i++) dx[i] = scale * y[i] * (dy[i] - dot);
        }

        return dx;
    }
}
