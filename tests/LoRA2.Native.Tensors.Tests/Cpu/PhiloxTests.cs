using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Tests.Cpu;

public sealed unsafe class PhiloxTests : KernelTest
{
    // The known answers published with Random123 (kat_vectors, philox4x32 10): counter, key, result.
    [Theory]
    [InlineData(0x0UL, 0x0UL, 0x0UL, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x85a308d3243f6a88UL, 0x0370734413198a2eUL, 0x299f31d0a4093822UL, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void KnownAnswers(ulong block, ulong stream, ulong seed, uint w0, uint w1, uint w2, uint w3)
    {
        uint* words = stackalloc uint[4];
        PhiloxBlocks.One(seed, stream, block, words);
        Assert.Equal([w0, w1, w2, w3], new ReadOnlySpan<uint>(words, 4).ToArray());
    }

    [Fact]
    public void ManyBlocksAreTheSingleBlocksOneAfterAnother()
    {
        uint* one = stackalloc uint[4];
        foreach (ulong first in new ulong[] { 0, 5, uint.MaxValue - 3, ulong.MaxValue - 9 })
        {
            for (int blocks = 0; blocks < 40; blocks++)
            {
                using var words = new GuardedArray<uint>(4 * blocks);
                PhiloxBlocks.Fill(0x123456789ABCDEF0, 0xFEDCBA9876543210, first, blocks, words.Pointer);
                for (int i = 0; i < blocks; i++)
                {
                    PhiloxBlocks.One(0x123456789ABCDEF0, 0xFEDCBA9876543210, first + (ulong)i, one);
                    Assert.True(words.Span.Slice(4 * i, 4).SequenceEqual(new ReadOnlySpan<uint>(one, 4)));
                }
            }
        }
    }

    [Fact]
    public void WordsByIndexAreTheWordsOfTheBlocks()
    {
        var random = new Philox(77, 5u, 9u);
        Assert.Equal(5UL | (9UL << 32), random.Stream);
        Assert.Equal(77UL, random.Seed);
        uint[] words = new uint[64];
        fixed (uint* to = words) random.Fill(0, 16, to);
        for (int i = 0; i < 64; i++) Assert.Equal(words[i], random.UInt32At((ulong)i));
        for (int i = 0; i < 32; i++) Assert.Equal(words[2 * i] | ((ulong)words[(2 * i) + 1] << 32), random.UInt64At((ulong)i));
    }

    [Fact]
    public void NormalNumbersHaveTheirMomentsAndDoNotDependOnThreads()
    {
        const int N = 200_001;
        using var x = SameForAnyThreads<float>(new float[N], o => new Philox(1, 2).FillNormal(o.Span, 3, 0.5));
        double mean = 0, variance = 0, fourth = 0;
        foreach (float v in x.Span) mean += v / (double)N;
        foreach (float v in x.Span) variance += Math.Pow(v - mean, 2) / N;
        foreach (float v in x.Span) fourth += Math.Pow(v - mean, 4) / N;
        Assert.Equal(3, mean, 0.005);
        Assert.Equal(0.25, variance, 0.005);
        Assert.Equal(3, fourth / (variance * variance), 0.1);
        Assert.Equal((float)(3 + (0.5 * new Philox(1, 2).NormalAt(12345))), x[12345]);

        using var y = new GuardedArray<double>(67);
        new Philox(1, 2).FillNormal(y.Span, 0, 1);
        y.Check();
        Assert.Equal(new Philox(1, 2).NormalAt(66), y[66]);
    }

    [Fact]
    public void UniformNumbersFillTheirRange()
    {
        const int N = 100_003;
        using var x = SameForAnyThreads<double>(new double[N], o => new Philox(3).FillUniform(o.Span, -2, 6));
        Assert.InRange(x.Span.ToArray().Min(), -2, -1.99);
        Assert.InRange(x.Span.ToArray().Max(), 5.99, 6);
        Assert.Equal(2, x.Span.ToArray().Average(), 0.05);
        Assert.Equal(64 / 12.0, x.Span.ToArray().Average(v => (v - 2) * (v - 2)), 0.1);
    }

    [Fact]
    public void PermutationsArePermutationsAndEquallyLikely()
    {
        foreach (int n in new[] { 0, 1, 2, 3, 17, 1000 })
            Assert.Equal(Enumerable.Range(0, n), new Philox(4, (ulong)n).Permutation(n).Order());
        Assert.Equal(new Philox(4, 9).Permutation(100), new Philox(4, 9).Permutation(100));
        Assert.NotEqual(new Philox(4, 9).Permutation(100), new Philox(4, 10).Permutation(100));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Philox(1).Permutation(-1));

        var seen = new Dictionary<string, int>();
        for (ulong stream = 0; stream < 24_000; stream++)
        {
            string key = string.Join(',', new Philox(5, stream).Permutation(4));
            seen[key] = seen.GetValueOrDefault(key) + 1;
        }

        Assert.Equal(24, seen.Count);
        // Chi-squared with 23 degrees of freedom: 49.7 is the 0.1 % point.
        Assert.True(seen.Values.Sum(c => (c - 1000.0) * (c - 1000.0) / 1000) < 49.7);
    }

    [Fact]
    public void DropoutFloat() => DropoutKeepsWhatTheWordsSay<float>();

    [Fact]
    public void DropoutDouble() => DropoutKeepsWhatTheWordsSay<double>();

    private static void DropoutKeepsWhatTheWordsSay<T>()
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        var random = new Philox(99, 7u, 3u);
        foreach (int n in Lengths)
        {
            double[] x = Random(n, n), z = Random(n, n + 1);
            using var a = Array<T>(x);
            foreach (double p in new[] { 0, 0.1, 0.5, 1 - 1e-12, 1 })
            {
                double[] expected = x.Select((v, i) => p < 1 && random.UInt32At((ulong)i) >= p * 4294967296.0 ? v / (1 - p) : 0).ToArray();
                using var y = SameForAnyThreads<T>(z, o => Dropout.Run(a.Pointer, n, p, random, o.Pointer, accumulate: false));
                Close(expected, y, single: 2e-7, twice: 1e-15);
                using var added = SameForAnyThreads<T>(z, o => Dropout.Run(a.Pointer, n, p, random, o.Pointer, accumulate: true));
                Close(expected.Zip(z, (u, v) => u + v).ToArray(), added, single: 2e-6, twice: 1e-14);
                if (n > 70) continue;
                for (int start = 0; start < 9 && start < n; start++)
                {
                    using var row = Array<T>(x.Skip(start));
                    Dropout.Row(row.Pointer, n - start, p, random, (ulong)start, row.Pointer, accumulate: false);
                    Assert.True(row.Span.SequenceEqual(y.Span[start..]));
                    row.Check();
                }
            }
        }
    }

    [Fact]
    public void DropoutKeepsTheMeanAndTheRightShare()
    {
        const int N = 1_000_000;
        using var x = new GuardedArray<float>(Enumerable.Repeat(1f, N).ToArray());
        Dropout.Run(x.Pointer, N, 0.1, new Philox(8), x.Pointer, accumulate: false);
        int kept = x.Span.Length - System.MemoryExtensions.Count(x.Span, 0f);
        Assert.Equal(0.9, kept / (double)N, 0.0015);
        Assert.Equal(1, Reduction.Sum(x.Pointer, N) / N, 0.0015);
    }
}
