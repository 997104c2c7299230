using FsCheck.Xunit;
using LoRA2.Native.Embeddings;

namespace LoRA2.Native.Tests.Embeddings;

/// <summary>A search finds what comparing all pairs in double finds.</summary>
public sealed class VectorIndexTests
{
    [Property(MaxTest = 60)]
    public void TheNearestAreFound(int seed)
    {
        var random = new Random(seed);
        int dimensions = random.Next(1, 40), count = random.Next(0, 300), asked = random.Next(0, 20);
        Similarity similarity = random.Next(2) == 0 ? Similarity.Cosine : Similarity.Dot;
        float[][] vectors = Draw(random, count, dimensions), queries = Draw(random, random.Next(1, 70), dimensions);
        using VectorIndex index = Of(vectors, dimensions, similarity);
        IReadOnlyList<IReadOnlyList<Neighbour>> found = index.Search(queries, asked);
        Assert.Equal(queries.Length, found.Count);
        for (int q = 0; q < queries.Length; q++)
        {
            double[] scores = [.. vectors.Select(vector => Naive(queries[q], vector, similarity))];
            double allowed = 1e-5 * Math.Max(1, scores.Select(Math.Abs).DefaultIfEmpty(0).Max());
            Assert.Equal(Math.Min(asked, count), found[q].Count);
            Assert.Equal(found[q].Count, found[q].Select(neighbour => neighbour.Index).Distinct().Count());
            foreach (Neighbour neighbour in found[q]) Assert.Equal(scores[neighbour.Index], neighbour.Score, allowed);
            for (int i = 1; i < found[q].Count; i++) Assert.True(found[q][i].Score <= found[q][i - 1].Score);
            double worst = found[q].Count == 0 ? double.PositiveInfinity : found[q][^1].Score;
            HashSet<int> taken = [.. found[q].Select(neighbour => neighbour.Index)];
            for (int i = 0; i < count; i++) Assert.True(taken.Contains(i) || asked == 0 || scores[i] <= worst + allowed);
        }
    }

    [Fact]
    public void EquallyNearOnesComeInTheirOrderAcrossBlocks()
    {
        // Whole numbers: products are exact, and many are equal.
        const int Count = 9000;
        var random = new Random(5);
        float[][] vectors = [.. Enumerable.Range(0, Count).Select(_ => new float[] { random.Next(-3, 4), random.Next(-3, 4) })];
        using VectorIndex index = Of(vectors, 2, Similarity.Dot);
        float[] query = [2, -1];
        Assert.Equal(
            vectors.Select((vector, i) => (Score: Naive(query, vector, Similarity.Dot), Index: i)).OrderByDescending(pair => pair.Score).ThenBy(pair => pair.Index).Take(700).Select(pair => new Neighbour(pair.Index, (float)pair.Score)),
            index.Search(query, 700));
    }

    [Fact]
    public void VectorsOfAnyLengthHaveADirection()
    {
        using VectorIndex index = Of([[1e-30f, 0], [0, 3e30f], [0, 0]], 2, Similarity.Cosine);
        Assert.Equal([new Neighbour(0, 1), new Neighbour(1, 0), new Neighbour(2, 0)], index.Search([7, 0], 5));
    }

    [Fact]
    public void WhatDoesNotFitIsRefused()
    {
        var index = new VectorIndex(2);
        Assert.Contains("a vector has 3 dimensions; the index has 2", Assert.Throws<ArgumentException>(() => index.Add([1, 2, 3])).Message, StringComparison.Ordinal);
        Assert.Contains("NaN at dimension 1", Assert.Throws<ArgumentException>(() => index.Search([1, float.NaN], 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new VectorIndex(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => index.Search([1, 2], -1));
        index.Add([1, 2]);
        Assert.Throws<OperationCanceledException>(() => index.Search([[1, 2]], 1, new CancellationToken(canceled: true)));
        index.Dispose();
        Assert.Throws<ObjectDisposedException>(() => index.Search([1, 2], 1));
        Assert.Throws<ObjectDisposedException>(() => index.Add([1, 2]));
    }

    private static VectorIndex Of(float[][] vectors, int dimensions, Similarity similarity)
    {
        var index = new VectorIndex(dimensions, similarity);
        for (int i = 0; i < vectors.Length; i++) Assert.Equal(i, index.Add(vectors[i]));
        Assert.Equal(vectors.Length, index.Count);
        return index;
    }

    private static float[][] Draw(Random random, int count, int dimensions) =>
        [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, dimensions).Select(_ => (float)((random.NextDouble() - 0.5) * 4)).ToArray())];

    private static double Naive(float[] a, float[] b, Similarity similarity)
    {
        double dot = a.Zip(b, (x, y) => (double)x * y).Sum();
        if (similarity == Similarity.Dot) return dot;
        double lengths = Math.Sqrt(a.Sum(x => (double)x * x)) * Math.Sqrt(b.Sum(y => (double)y * y));
        return lengths == 0 ? 0 : dot / lengths;
    }
}
