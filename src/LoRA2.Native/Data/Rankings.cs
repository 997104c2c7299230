namespace LoRA2.Native.Data;

/// <summary>
/// How the documents of each query were ordered: their relevance, 0 for none, in the order of the scores that a model gave them. Of equal scores the less relevant comes first, so that answering
/// the same of everything gains nothing. Queries without a relevant document say nothing of a ranking and are left out.
/// </summary>
public sealed class Rankings
{
    /// <summary>Places that count.</summary>
    private const int Places = 10;

    private readonly double[][] relevance;

    /// <summary>Orders every query's documents.</summary>
    /// <param name="queries">The query of each document, by any number.</param>
    /// <param name="scores">What the model says of each.</param>
    /// <param name="relevance">How relevant each is, at least 0.</param>
    /// <exception cref="ArgumentException">There are not as many of each, or one is negative or no number, or no query has a relevant document.</exception>
    public Rankings(IReadOnlyList<int> queries, IReadOnlyList<double> scores, IReadOnlyList<double> relevance)
    {
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(relevance);
        if (queries.Count != scores.Count || queries.Count != relevance.Count) throw new ArgumentException($"{queries.Count} queries, {scores.Count} scores and {relevance.Count} relevances were given, expected as many of each");
        if (relevance.Any(value => !(value >= 0))) throw new ArgumentException("a relevance is not at least 0", nameof(relevance));
        this.relevance = [.. Enumerable.Range(0, queries.Count)
            .GroupBy(i => queries[i])
            .Where(query => query.Any(i => relevance[i] > 0))
            .Select(query => query.OrderByDescending(i => scores[i]).ThenBy(i => relevance[i]).Select(i => relevance[i]).ToArray())];
        if (this.relevance.Length == 0) throw new ArgumentException("no query has a relevant document", nameof(relevance));
    }

    /// <summary>Number of queries with a relevant document.</summary>
    public int Count => relevance.Length;

    /// <summary>The relevance of a query's documents, the first in the model's order first.</summary>
    public IReadOnlyList<double> Of(int query) => relevance[query];

    /// <summary>The mean over queries of 1 / the place of the first relevant document, 0 beyond the tenth (MRR@10).</summary>
    public double ReciprocalRank() => relevance.Average(query => Array.FindIndex(query, value => value > 0) is var at and >= 0 and < Places ? 1.0 / (at + 1) : 0);

    /// <summary>The mean over queries of Σ relevance / log₂(1 + place) over the first ten places, as a part of the best that the query's documents could give (nDCG@10, gains as in Järvelin and Kekäläinen 2002).</summary>
    public double DiscountedGain() => relevance.Average(query => Gain(query) / Gain([.. query.OrderDescending()]));

    /// <summary>The mean over queries of the mean precision at the places of their relevant documents (MAP).</summary>
    public double AveragePrecision() => relevance.Average(query =>
    {
        (int found, double sum) = (0, 0);
        for (int i = 0; i < query.Length; i++)
        {
            if (query[i] > 0) sum += ++found / (double)(i + 1);
        }

        return sum / found;
    });

    private static double Gain(double[] query)
    {
        double sum = 0;
        for (int i = 0; i < Math.Min(Places, query.Length); i++) sum += query[i] / Math.Log2(i + 2);
        return sum;
    }
}
