using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Cuda.Tests.Kernels;

/// <summary>Functions of each element give the CPU's bits: their formulas and roundings are the same.</summary>
public sealed class ElementwiseTests : KernelTest
{
    [Fact]
    public void Arithmetic()
    {
        foreach (int n in Counts)
        {
            (float[] a, float[] b) = (Normal(n, 1), Normal(n, 2));
            AssertUlps(0, side => Each(side, n, a, b), $"{n} elements");
        }
    }

    [Fact]
    public void Activations()
    {
        foreach (int n in Counts)
        {
            (float[] x, float[] dy) = (Normal(n, 3, 2), Normal(n, 4));
            AssertUlps(0, side => Functions(side, x, dy), $"{n} elements");
        }
    }

    [Fact]
    public void ActivationsAtTheEdges()
    {
        float[] x = [0, -0f, 1e-30f, -1e-30f, 1e-44f, 0.6249999f, 0.625f, -0.625f, 4, -4, 14, -14, 15, -15, 16, -16, 88, -88, 200, -200, float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN];
        float[] dy = Normal(x.Length, 5);
        AssertUlps(0, side => Functions(side, x, dy), "edges");
        float[] sweep = [.. Enumerable.Range(0, 8192).Select(i => ((i - 4096) / 256f) + 1e-4f)];
        AssertUlps(0, side => Functions(side, sweep, Normal(sweep.Length, 6)), "from -16 to 16");
    }

    [Fact]
    public void DropoutTakesTheCpusMask()
    {
        foreach (int n in Counts)
        {
            foreach (double p in (double[])[0, 1e-10, 0.1, 0.5, 0.999])
            {
                var mask = new DropoutMask(p, 0x123456789ABCDEF0, (uint)n, 0x89ABCDEF);
                AssertUlps(0, side =>
                {
                    Tensor y = side.Unset(n);
                    side.Kernels.Dropout(side.Of(Normal(n, 7), n), mask, y);
                    return [y];
                }, $"{n} elements, {mask}");
            }
        }
    }

    [Fact]
    public void FillSetsEveryElement()
    {
        foreach (int n in Counts)
        {
            AssertUlps(0, side =>
            {
                Tensor x = side.Unset(n);
                side.Kernels.Fill(x, -1.25);
                Tensor whole = side.Of(new int[n], n);
                side.Kernels.Fill(whole, -7);
                return [x, whole];
            }, $"{n} elements");
        }
    }

    [Fact]
    public void AddRowAddsToEveryRow()
    {
        foreach ((int rows, int columns) in Matrices)
        {
            AssertUlps(0, side =>
            {
                Tensor y = side.Unset(rows, columns);
                side.Kernels.AddRow(side.Of(Normal(rows * columns, 8), rows, columns), side.Of(Normal(columns, 9), columns), y);
                return [y];
            }, $"{rows} x {columns}");
        }
    }

    private static Tensor[] Each(Side side, int n, float[] a, float[] b)
    {
        Tensor x = side.Of(a, n), z = side.Of(b, n), added = side.Of(b, n);
        Tensor sum = side.Unset(n), difference = side.Unset(n), product = side.Unset(n), scaled = side.Unset(n), by = side.Unset(n);
        side.Kernels.Add(x, z, sum);
        side.Kernels.Subtract(x, z, difference);
        side.Kernels.Multiply(x, z, product);
        side.Kernels.Scale(x, -1.7, scaled);
        side.Kernels.ScaleBy(x, side.Of([0.3f]), by);
        side.Kernels.AddScaled(x, 0.1, added);
        return [sum, difference, product, scaled, by, added];
    }

    private static Tensor[] Functions(Side side, float[] values, float[] upstream)
    {
        int n = values.Length;
        Tensor x = side.Of(values, n), dy = side.Of(upstream, n);
        Tensor gelu = side.Unset(n), tanh = side.Unset(n), relu = side.Unset(n), dgelu = side.Unset(n), dtanh = side.Unset(n), drelu = side.Unset(n);
        side.Kernels.Activate(Activation.Gelu, x, gelu);
        side.Kernels.Activate(Activation.Tanh, x, tanh);
        side.Kernels.Activate(Activation.Relu, x, relu);
        side.Kernels.ActivateBackward(Activation.Gelu, x, dy, dgelu);
        side.Kernels.ActivateBackward(Activation.Tanh, x, dy, dtanh);
        side.Kernels.ActivateBackward(Activation.Relu, x, dy, drelu);
        return [gelu, tanh, relu, dgelu, dtanh, drelu];
    }
}
