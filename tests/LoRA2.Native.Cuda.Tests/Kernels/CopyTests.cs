using FsCheck.Xunit;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda.Tests.Kernels;

/// <summary>Copies and sums between layouts, with all ranks, and conversions.</summary>
public sealed class CopyTests : KernelTest
{
    private static readonly int[][] Shapes = [[5], [3, 4], [7, 5], [2, 3, 4], [3, 8, 4], [2, 3, 4, 5], [2, 1, 3, 8], [2, 3, 2, 3, 4], [2, 3, 2, 2, 3, 4], [0, 3], [1, 1]];

    [Property(MaxTest = 40)]
    public void PermutedArraysOfEveryRank(Shape shape, byte seed)
    {
        if (shape.Rank == 0) return;
        int[] extents = shape.Extents.ToArray(), order = [.. Enumerable.Range(0, shape.Rank)];
        new Random(seed).Shuffle(order);
        AssertUlps(0, side => [Ops.Permute(side.Of(Normal(shape.Elements, seed), extents), order).Clone()], $"{shape} as {string.Join(' ', order)}");
        AssertUlps(0, side =>
        {
            Tensor x = side.Of(Normal(shape.Elements, seed), extents).To(DType.BFloat16);
            return [x, Ops.Permute(x, order).Clone(), Ops.Permute(x, order).To(DType.Float32)];
        }, "bfloat16");
    }

    [Fact]
    public void PartsOfRows()
    {
        foreach ((int from, int length) in ((int, int)[])[(0, 8), (4, 8), (1, 7), (3, 0), (5, 1)])
            AssertUlps(0, side => [Ops.Slice(side.Of(Normal(60, 1), 5, 12), 1, from, length).Clone()], $"{length} from {from}");
    }

    [Fact]
    public void Conversions()
    {
        float[] values = [0, -0f, 1, 1.00390625f, 1.01171875f, -3.1415927f, 1e-40f, 3.4e38f, float.MaxValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN, .. Normal(100, 2)];
        AssertUlps(0, side =>
        {
            Tensor x = side.Of(values, values.Length);
            Tensor integers = side.Of(Integers(77, 3, int.MinValue, int.MaxValue - 1), 7, 11);
            return [x.To(DType.BFloat16), x.To(DType.BFloat16).To(DType.Float32), integers.To(DType.Float32), Ops.Transpose(integers).Clone(), Ops.Transpose(integers).To(DType.Float32)];
        }, "conversions");
    }

    [Fact]
    public void WhatThereIsNoKernelForIsAnError()
    {
        using var device = new CudaDevice(new Emulation.EmulatedDriver(), 0);
        using Tensor x = Tensor.From([1f, 2f], [2]).To(device);
        NotSupportedException e = Assert.Throws<NotSupportedException>(() => x.To(DType.Float64));
        Assert.Contains("Float32 can't be converted to Float64", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SumsIntoBroadcastArrays()
    {
        foreach (int[] shape in (int[][])[.. Shapes, [3, 400], [400, 3], [2, 300, 2], [1, 5000]])
        {
            for (int bits = 0; bits < 1 << shape.Length; bits += shape.Length > 4 ? 5 : 1)
            {
                int[] kept = [.. shape.Select((size, axis) => (bits >> axis & 1) == 0 ? size : 1)];
                (float[] x, float[] before) = (Normal(new Shape(shape).Elements, bits), Normal(new Shape(kept).Elements, 4));
                (float[][] cpu, float[][] there) = OnBoth(side =>
                {
                    Tensor sum = side.Of(before, kept);
                    Span<int> strides = stackalloc int[kept.Length];
                    for (int axis = 0; axis < kept.Length; axis++) strides[axis] = kept[axis] == 1 ? 0 : sum.Strides[axis];
                    side.Kernels.AccumulateInto(side.Of(x, shape), sum.View(new Shape(shape), strides));
                    return [sum];
                });
                for (int e = 0; e < before.Length; e++) Assert.True(Math.Abs(cpu[0][e] - there[0][e]) <= 1e-6 * (1 + x.Sum(Math.Abs)), $"{new Shape(shape)} to {new Shape(kept)} at {e}: {there[0][e]}, {cpu[0][e]} on the CPU");
            }
        }
    }

    [Fact]
    public void SumsIntoAPermutedArray() => AssertUlps(0, side =>
    {
        Tensor sum = side.Of(Normal(60, 5), 3, 4, 5);
        side.Kernels.AccumulateInto(side.Of(Normal(60, 6), 5, 3, 4), Ops.Permute(sum, 2, 0, 1));
        return [sum];
    }, "permuted");
}
