using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;
using LoRA2.Native.Tensors.Tests.Cpu;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Attention at lengths of several blocks of queries; the catalogue's tests have the short ones.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class AttentionTests
{
    private const int Heads = 2;

    /// <summary>One sequence whole, one with trailing padding and a gap, one all padding.</summary>
    private const int Batch = 3;

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(129)]
    [InlineData(300)]
    public void AgreesWithTheFormula(int length)
    {
        foreach (SimdPath path in Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported))
        {
            foreach (bool maskQueries in new[] { false, true })
            {
                using var scope = new TensorScope();
                SimdPaths.Forced = path;
                Operands x = Draw(length, 5);
                AttentionTerms terms = x.Terms with { MaskQueries = maskQueries };
                Tensor probabilities = Tensor.Empty([Batch, Heads, length, length], DType.Float64);
                double[] y = Ops.DisentangledAttention(x.Q, x.K, x.V, terms, probabilities).ToArray<double>();
                Tensor expected = Formula(x, terms);
                Close(expected.ToArray<double>(), probabilities.ToArray<double>(), 1e-13);
                Close(Weighted(Ops.Dropout(expected, terms.Dropout), x.V), y, 1e-13);
                x = x.To(DType.Float32);
                probabilities = Tensor.Empty([Batch, Heads, length, length]);
                Ops.DisentangledAttention(x.Q, x.K, x.V, x.Terms with { MaskQueries = maskQueries }, probabilities);
                Close(expected.ToArray<double>(), probabilities.To(DType.Float64).ToArray<double>(), 1e-6);
                SimdPaths.Forced = null;
            }
        }
    }

    [Theory]
    [InlineData(150)]
    [InlineData(300)]
    public void GradientsAgreeWithCentralDifferences(int length)
    {
        using var scope = new TensorScope();
        Operands x = Draw(length, 3);
        foreach (DType precision in new[] { DType.Float64, DType.Float32 })
        {
            GradientCheck.Verify(
                inputs => Ops.DisentangledAttention(inputs[0], inputs[1], inputs[2], x.Terms with { PositionKey = inputs[3], PositionQuery = inputs[4] }),
                [x.Q, x.K, x.V, x.Terms.PositionKey!, x.Terms.PositionQuery!],
                precision,
                samples: 12);
        }
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    public void WhatIsKeptChangesNoBitAndNeitherDoThreads(Precision precision)
    {
        int before = ThreadTeam.Count;
        try
        {
            using var scope = new TensorScope();
            Operands x = Draw(200, 16).To(DType.Float32);
            x = x with { Terms = x.Terms with { Precision = precision } };
            ThreadTeam.Count = 1;
            byte[][] expected = Bits(x, keep: false);
            for (int threads = 1; threads <= 3; threads++)
            {
                ThreadTeam.Count = threads;
                foreach (bool keep in new[] { false, true }) Assert.Equal(expected, Bits(x, keep));
            }
        }
        finally
        {
            ThreadTeam.Count = before;
        }
    }

    [Fact]
    public void BFloat16IsCloseToFloat32()
    {
        foreach (int length in new[] { 1, 33, 200 })
        {
            using var scope = new TensorScope();
            Operands x = Draw(length, 24).To(DType.Float32);
            byte[][] expected = Bits(x, keep: true);
            byte[][] actual = Bits(x with { Terms = x.Terms with { Precision = Precision.BFloat16 } }, keep: true);
            for (int i = 0; i < expected.Length; i++)
            {
                float[] e = MemoryMarshal.Cast<byte, float>(expected[i]).ToArray(), a = MemoryMarshal.Cast<byte, float>(actual[i]).ToArray();
                float largest = e.Max(Math.Abs);
                for (int j = 0; j < e.Length; j++) Assert.True(Math.Abs(e[j] - a[j]) <= 0.03f * largest, $"length {length}, result {i}, element {j}: {a[j]} instead of {e[j]}");
            }
        }
    }

    [Fact]
    public void MemoryGrowsWithTheLengthAndNotItsSquare()
    {
        long[] bytes = [.. new[] { 512, 1024, 2048 }.Select(length =>
        {
            MemoryPool.Shared.Trim();
            long before = MemoryPool.Shared.BytesReserved;
            using var scope = new TensorScope();
            using var tape = new Tape();
            Tensor Rows(int rows)
            {
                Tensor x = Tensor.Full([rows, 32], 0.1);
                x.RequiresGrad = true;
                return x;
            }

            Tensor q = Rows(length), k = Rows(length), v = Rows(length);
            var terms = new AttentionTerms(Heads, 0.3, Dropout: new DropoutMask(0.1, 1, 2, 3), PositionKey: Rows(9), PositionQuery: Rows(9), PositionOf: Buckets(length));
            Tensor y = Ops.DisentangledAttention(Ops.Reshape(q, 1, length, 32), Ops.Reshape(k, 1, length, 32), Ops.Reshape(v, 1, length, 32), terms);
            tape.Backward(y, Tensor.Full(y.Shape, 1));
            return MemoryPool.Shared.BytesReserved - before;
        })];
        Assert.True(bytes[1] < 2.5 * bytes[0] && bytes[2] < 2.5 * bytes[1], string.Join(", ", bytes));
    }

    private static byte[][] Bits(Operands x, bool keep)
    {
        using var scope = new TensorScope();
        int length = x.Q.Shape[1];
        Tensor Like(Tensor tensor) => Tensor.Empty(tensor.Shape, tensor.DType);
        Tensor? kept = keep ? Tensor.Empty([Batch, Heads, length, length]) : null;
        Tensor y = Like(x.Q);
        var gradients = new AttentionGradients(Like(x.Q), Like(x.K), Like(x.V), Like(x.Terms.PositionKey!), Like(x.Terms.PositionQuery!));
        Kernels kernels = x.Q.Device.Kernels;
        kernels.Attention(x.Q, x.K, x.V, x.Terms, null, kept, y);
        kernels.AttentionBackward(x.Q, x.K, x.V, x.Terms, kept, null, x.V, gradients);
        Tensor[] results = [y, gradients.Query!, gradients.Key!, gradients.Value!, gradients.PositionKey!, gradients.PositionQuery!];
        return [.. results.Select(tensor => MemoryMarshal.AsBytes(tensor.ToArray<float>().AsSpan()).ToArray())];
    }

    /// <summary>Rows of distances that are consecutive near 0 and shared farther out.</summary>
    private static int[] Buckets(int length) =>
        [.. Enumerable.Range(1 - length, (2 * length) - 1).Select(distance => 4 + (Math.Sign(distance) * Math.Min(4, Math.Abs(distance) <= 2 ? Math.Abs(distance) : 1 + (int)Math.Log2(Math.Abs(distance)))))];

    private static Operands Draw(int length, int size)
    {
        var source = new CaseSource(length + size);
        Shape shape = [Batch, length, Heads * size], table = [9, Heads * size];
        int[] mask = new int[Batch * length];
        for (int i = 0; i < length; i++)
        {
            mask[i] = 1;
            mask[length + i] = i < (length + 1) / 2 && i != 3 ? 1 : 0;
        }

        var terms = new AttentionTerms(
            Heads, 0.4, Tensor.From(mask, [Batch, length]), true, new DropoutMask(0.2, 5, 6, 7), source.Values(table), source.Values(table), Buckets(length));
        return new Operands(source.Values(shape), source.Values(shape), source.Values(shape), terms);
    }

    /// <summary>The probabilities, element by element.</summary>
    private static Tensor Formula(Operands x, AttentionTerms terms)
    {
        (int length, int width) = (x.Q.Shape[1], x.Q.Shape[2]);
        int size = width / Heads;
        double[] q = x.Q.ToArray<double>(), k = x.K.ToArray<double>(), positionKey = terms.PositionKey!.ToArray<double>(), positionQuery = terms.PositionQuery!.ToArray<double>();
        int[] mask = terms.Mask!.ToArray<int>();
        double[] result = new double[Batch * Heads * length * length];
        for (int row = 0; row < Batch * Heads * length; row++)
        {
            (int batch, int head, int i) = (row / length / Heads, row / length % Heads, row % length);
            Span<double> p = result.AsSpan(row * length, length);
            if (terms.MaskQueries && mask[(batch * length) + i] == 0) continue;
            for (int j = 0; j < length; j++)
            {
                if (mask[(batch * length) + j] == 0) continue;
                double score = 0;
                for (int c = head * size; c < (head + 1) * size; c++)
                {
                    double a = q[(((batch * length) + i) * width) + c], b = k[(((batch * length) + j) * width) + c];
                    int position = (terms.PositionOf![i - j + length - 1] * width) + c;
                    score += (a * b) + (a * positionKey[position]) + (b * positionQuery[position]);
                }

                p[j] = Math.Exp(terms.Scale * score);
            }

            double sum = 0;
            foreach (double e in p) sum += e;
            for (int j = 0; j < length; j++) p[j] = sum == 0 ? 0 : p[j] / sum;
        }

        return Tensor.From(result, [Batch, Heads, length, length]);
    }

    private static double[] Weighted(Tensor probabilities, Tensor v)
    {
        (int length, int width) = (v.Shape[1], v.Shape[2]);
        double[] p = probabilities.ToArray<double>(), values = v.ToArray<double>(), y = new double[values.Length];
        for (int i = 0; i < y.Length; i++)
        {
            (int batch, int row, int column) = (i / width / length, i / width % length, i % width);
            int head = column / (width / Heads);
            for (int j = 0; j < length; j++) y[i] += p[(((((batch * Heads) + head) * length) + row) * length) + j] * values[(((batch * length) + j) * width) + column];
        }

        return y;
    }

    private static void Close(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * (1 + Math.Abs(expected[i])), $"element {i}: {actual[i]:R} instead of {expected[i]:R}");
    }

    private sealed record Operands(Tensor Q, Tensor K, Tensor V, AttentionTerms Terms)
    {
        public Operands To(DType type) => new(
            Q.To(type), K.To(type), V.To(type), Terms with { PositionKey = Terms.PositionKey!.To(type), PositionQuery = Terms.PositionQuery!.To(type) });
    }
}
