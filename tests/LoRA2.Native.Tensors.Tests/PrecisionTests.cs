using FsCheck.Xunit;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;
using Xunit.Abstractions;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Layers whose products are rounded: forward and both gradients, at random shapes, against the same layer in double.</summary>
public sealed class PrecisionTests(ITestOutputHelper output)
{
    [Property(MaxTest = 240)]
    public void ALinearLayerIsAsPreciseAsItSays(Precision precision, CaseSource source)
    {
        // In 8 bits an element is off by a part of its row's largest, not of itself: Int8GemmTests have that bound.
        if (precision == Precision.Int8) return;
        using var scope = new TensorScope();
        double bound = Bound(precision);
        (int rows, int inputs, int outputs) = (source.WideExtent(70), source.WideExtent(90), source.WideExtent(70));
        bool train = source.Flag();
        Tensor[] exact = [source.Values([rows, inputs], requiresGrad: true), source.Values([outputs, inputs], requiresGrad: train), source.Values([outputs], requiresGrad: train)];
        Tensor seed = source.Values([rows, outputs], requiresGrad: false);
        Tensor[] rounded = [.. exact.Select(tensor => Single(tensor, tensor.RequiresGrad))];
        rounded[1].Precision = precision;
        if (!train) rounded[1].Freeze();

        Tensor expected = Run(exact, seed);
        Tensor actual = Run(rounded, Single(seed, false));

        Tensor[] sizes = [.. exact.Select(Absolute)];
        Close(expected, actual, Run(sizes, seed, backward: false), bound, "y");
        Tensor size = Absolute(seed);
        Close(exact[0].Grad!, rounded[0].Grad!, Ops.MatMul(size, sizes[1]), bound, "dx");
        if (train) Close(exact[1].Grad!, rounded[1].Grad!, Ops.MatMul(Ops.Permute(size, 1, 0), sizes[0]), bound, "dW");
    }

    [Property(MaxTest = 240)]
    public void AnAdapterIsFloat32WhateverTheWeightIs(Precision precision, CaseSource source)
    {
        using var scope = new TensorScope();
        // With a weight of zero all that is left is the adapter's part, which is not rounded.
        (int rows, int inputs, int outputs, int k) = (source.WideExtent(70), source.WideExtent(90), source.WideExtent(70), source.Extent(40));
        Tensor x = source.Values([rows, inputs], requiresGrad: false), a = source.Values([k, inputs], requiresGrad: false), b = source.Values([outputs, k], requiresGrad: false);
        Tensor weight = Tensor.Zeros([outputs, inputs]);
        weight.Precision = precision;
        weight.Freeze();

        Tensor expected = Ops.LoRALinear(x, Tensor.Zeros([outputs, inputs], DType.Float64), null, a, b, 0.5);
        Tensor actual = Ops.LoRALinear(Single(x, false), weight, null, Single(a, false), Single(b, false), 0.5);

        Close(expected, actual, Ops.LoRALinear(Absolute(x), Tensor.Zeros([outputs, inputs], DType.Float64), null, Absolute(a), Absolute(b), 0.5), 4e-5, "y");
    }

    /// <summary>What the documentation of the precisions says of sums of 768 products of uniform values; the vector path is at least as precise.</summary>
    [Theory]
    [InlineData(Precision.Float32, -21)]
    [InlineData(Precision.BFloat16, -10.5)]
    [InlineData(Precision.BFloat16x3, -19.5)]
    [InlineData(Precision.BFloat16x6, -23)]
    public void TheLargestErrorOfALongSumIsWhatTheDocumentationSays(Precision precision, double exponent)
    {
        using var scope = new TensorScope();
        const int size = 64, depth = 768;
        (Tensor a, Tensor b, Tensor c) = (Tensor.Empty([size, depth]), Tensor.Empty([size, depth]), Tensor.Empty([size, size]));
        new Philox(1, 0).FillUniform(a.AsSpan<float>(), -1, 1);
        new Philox(2, 0).FillUniform(b.AsSpan<float>(), -1, 1);
        a.Device.Kernels.MatMul(a, false, b, true, c, precision: precision);
        (float[] x, float[] y, float[] z) = (a.ToArray<float>(), b.ToArray<float>(), c.ToArray<float>());
        double largest = 0;
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < size; j++)
            {
                (double exact, double sum) = (0, 0);
                for (int p = 0; p < depth; p++)
                {
                    double product = (double)x[(i * depth) + p] * y[(j * depth) + p];
                    (exact, sum) = (exact + product, sum + Math.Abs(product));
                }

                largest = Math.Max(largest, Math.Abs(z[(i * size) + j] - exact) / sum);
            }
        }

        output.WriteLine($"{precision} on {Compute.BFloat16Path}: 2^{Math.Log2(largest):f1} of the sum of magnitudes");
        Assert.InRange(Math.Log2(largest), double.NegativeInfinity, exponent);
    }

    [Fact]
    public void AFrozenWeightIsKeptRoundedAndComesBackWhenTrained()
    {
        using var scope = new TensorScope();
        var parameter = new Parameter("w", Tensor.From([1f, 1.00390625f, 3.14159f, -2f], [2, 2])) { Precision = Precision.BFloat16 };
        parameter.Freeze();
        Assert.Equal(DType.BFloat16, parameter.Value.DType);
        var error = Assert.Throws<InvalidOperationException>(() => parameter.Precision = Precision.Float32);
        Assert.Equal("parameter w was rounded for BFloat16; load it again for Float32", error.Message);

        parameter.Train();

        Assert.Equal(DType.Float32, parameter.Value.DType);
        Assert.Equal(Precision.BFloat16, parameter.Precision);
        Assert.Equal([1f, 1f, 3.140625f, -2f], parameter.Value.ToArray<float>());
        parameter.Value.Dispose();
    }

    [Fact]
    public void OnlyAFrozenWeightOfItsPrecisionMayBeRounded()
    {
        using var scope = new TensorScope();
        Tensor weight = Tensor.Zeros([3, 2]).To(DType.BFloat16);
        Assert.Throws<ArgumentException>(() => Ops.Linear(Tensor.Zeros([1, 2]), weight));
    }

    /// <summary>How far an element may be from the exact one, in units of Σ|a||b| of its product.</summary>
    private static double Bound(Precision precision) => precision switch
    {
        Precision.Float32 => 4e-6,
        Precision.BFloat16 => 1 / 128.0,
        Precision.BFloat16x3 => 4e-5,
        Precision.BFloat16x6 => 4e-6,
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, null),
    };

    private static Tensor Run(Tensor[] inputs, Tensor seed, bool backward = true)
    {
        using var tape = new Tape();
        Tensor y = Ops.Linear(inputs[0], inputs[1], inputs[2]);
        if (backward) tape.Backward(y, seed);
        return y;
    }

    private static Tensor Single(Tensor x, bool requiresGrad)
    {
        Tensor single = x.To(DType.Float32);
        single.RequiresGrad = requiresGrad;
        return single;
    }

    private static Tensor Absolute(Tensor x) => Tensor.From(x.ToArray<double>().Select(Math.Abs).ToArray(), x.Shape);

    private static void Close(Tensor expected, Tensor actual, Tensor sizes, double bound, string what)
    {
        (double[] e, float[] a, double[] s) = (expected.ToArray<double>(), actual.ToArray<float>(), sizes.ToArray<double>());
        for (int i = 0; i < e.Length; i++)
            Assert.True(Math.Abs(e[i] - a[i]) <= (bound * s[i]) + 1e-30, $"{what}[{i}] of {expected}: {a[i]} for {e[i]}, Σ|a||b| = {s[i]}");
    }
}
