using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Cuda.Tests.Kernels;

/// <summary>Scores, to the last bit the CPU's, and what is pruned by them.</summary>
public sealed class ImportanceTests : KernelTest
{
    /// <summary>Ranks and widths: none, one, primes, a block of threads and its neighbours, many blocks.</summary>
    private static readonly (int Rank, int Width)[] Sizes = [(0, 3), (1, 1), (2, 0), (3, 7), (8, 127), (5, 128), (7, 131), (1, 257), (11, 4), (13, 300)];

    [Fact]
    public void ScoresOfManyScorersHaveTheBitsOfTheCpu() => AssertSame(side => [.. Sizes.Select((size, i) => Scorer(side, size.Rank, size.Width, i))], "all sizes");

    [Fact]
    public void ScoresOfOneScorer()
    {
        foreach ((int rank, int width) in Sizes) AssertSame(side => [Scorer(side, rank, width, rank)], $"rank {rank}, width {width}");
    }

    [Fact]
    public void ScoresOfHundredsOfScorers() => AssertSame(side => [.. Enumerable.Range(0, 211).Select(i => Scorer(side, i % 3, 1 + (i % 5), i))], "211 scorers");

    [Fact]
    public void NoScorersNeedNoRoom() => ImportanceScorer.Scores([], []);

    [Fact]
    public void WhatIsNotKeptIsZero()
    {
        foreach (int few in (int[])[0, 1, 2])
        {
            AssertUlps(0, side =>
            {
                Tensor[] values = Arrays(side);
                side.Kernels.Prune(values, side.Of(Integers(values.Sum(value => value.Count), few, 0, few), values.Sum(value => value.Count)));
                return values;
            }, $"kept 0 … {few}");
        }
    }

    [Fact]
    public void ArraysOneAfterTheOther() => AssertUlps(0, side =>
    {
        Tensor[] values = Arrays(side);
        Tensor y = side.Unset(values.Sum(value => value.Count));
        side.Kernels.Concatenate(values, y);
        Assert.Equal(values.SelectMany(value => value.ToArray<float>()), y.ToArray<float>());
        return [y];
    }, "all counts");

    private static Tensor[] Arrays(Side side) => [.. Counts.Append(8193).Select((count, i) => side.Of([.. Normal(count, i).Select((x, e) => e % 11 == 5 ? float.NaN : x)], count))];

    /// <summary>A scorer of factors along both axes and of one that counts for all, its averages of any sign; the last has no uncertainty but in every third element.</summary>
    private static ImportanceScorer Scorer(Side side, int rank, int width, int seed)
    {
        Tensor Zeros(params int[] shape) => Tensor.Zeros(new Shape(shape), DType.Float32, side.Device);
        var scorer = new ImportanceScorer(
        [
            new("lambda", Zeros(rank, 1), 0, 1), new("rows", Zeros(rank, width), 0, Math.Max(width, 1)), new("columns", Zeros(width, rank), 1, 7), new("all", Zeros(width, 3), null, 3),
        ]);
        int number = 0;
        foreach ((string name, Tensor values) in scorer.State)
            values.Write<float>([.. Normal(values.Count, (100 * seed) + number++).Select((x, i) => name == "all.uncertainty" && i % 3 != 0 ? 0 : x)]);
        return scorer;
    }

    private void AssertSame(Func<Side, ImportanceScorer[]> make, string what)
    {
        var found = new List<double[]>();
        OnBoth(side =>
        {
            ImportanceScorer[] scorers = make(side);
            double[] scores = new double[scorers.Sum(scorer => scorer.Rank)];
            // The second time the device has the tables already.
            for (int i = 0; i < 2; i++)
            {
                scores.AsSpan().Fill(double.NaN);
                ImportanceScorer.Scores(scorers, scores);
            }

            found.Add(scores);
            foreach (ImportanceScorer scorer in scorers) scorer.Dispose();
            return [];
        });
        Assert.True(found[0].SequenceEqual(found[1]), $"{what}: {string.Join(' ', found[1])}; {string.Join(' ', found[0])} on the CPU");
        Assert.DoesNotContain(found[0], double.IsNaN);
    }
}
