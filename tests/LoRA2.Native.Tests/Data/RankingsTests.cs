using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

/// <summary>How the order of queries' documents is scored, and how their data are read.</summary>
public sealed class RankingsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void MetricsAreThoseOfTheirFormulas()
    {
        // Query 7: relevances 3, 2, 3, 0, 1, 2 as they are ranked (Järvelin and Kekäläinen's own example); query 9: the relevant one is third; query 4 has none and is left out.
        var rankings = new Rankings(
            [7, 9, 7, 7, 9, 4, 7, 7, 9, 7],
            [10, 1, 9, 8, 3, 0, 7, 6, 2, 5],
            [3, 1, 2, 3, 0, 0, 0, 1, 0, 2]);
        Assert.Equal(2, rankings.Count);
        Assert.Equal([3, 2, 3, 0, 1, 2], rankings.Of(0));
        static double Gain(params double[] values) => values.Select((value, i) => value / Math.Log2(i + 2)).Sum();
        Assert.Equal(0.9608081943360617, Gain(3, 2, 3, 0, 1, 2) / Gain(3, 3, 2, 2, 1, 0), 1e-12);
        Assert.Equal((0.9608081943360617 + 0.5) / 2, rankings.DiscountedGain(), 1e-12);
        Assert.Equal((1 + (1 / 3.0)) / 2, rankings.ReciprocalRank(), 1e-12);
        Assert.Equal((((1 + 1 + 1 + (4 / 5.0) + (5 / 6.0)) / 5) + (1 / 3.0)) / 2, rankings.AveragePrecision(), 1e-12);
    }

    [Fact]
    public void TheSameAnswerForEverythingGainsNothingAndPlacesBeyondTheTenthNeither()
    {
        var same = new Rankings(new int[11], new double[11], [1, .. new double[10]]);
        Assert.Equal((0, 0, 1 / 11.0), (same.ReciprocalRank(), same.DiscountedGain(), same.AveragePrecision()));
        Assert.Throws<ArgumentException>(() => new Rankings([0], [1], [0]));
        Assert.Throws<ArgumentException>(() => new Rankings([0], [1], [-1]));
        Assert.Throws<ArgumentException>(() => new Rankings([0], [1], [double.NaN]));
        Assert.Throws<ArgumentException>(() => new Rankings([0, 0], [1], [1]));
    }

    [Fact]
    public void RowsWithWrongDocumentsBecomePairsEachOnce()
    {
        Dataset data = Load("query,positive,negative,negative_2\nq,a,b,c\nq,c,b,d\nr,a,b,c\n");
        Assert.Equal([("q", "a", 1f), ("q", "b", 0f), ("q", "c", 1f), ("q", "d", 0f), ("r", "a", 1f), ("r", "b", 0f), ("r", "c", 0f)], data.Examples.Select(pair => (pair.Text, pair.Pair!, pair.Target!.Value)));
        data = Load("query,document,relevance\nq,a,2\nq,b,0\n");
        Assert.Equal([2f, 0f], data.Examples.Select(pair => pair.Target!.Value));
    }

    [Fact]
    public void AQuerysDocumentsStayInOnePart()
    {
        var data = new Dataset("d", [.. Enumerable.Range(0, 100).Select(i => new Example($"q{i % 20}", $"d{i}", i % 2))], null);
        (Dataset training, Dataset held) = data.Split(0.1, 3, TaskKinds.Ranking.GroupOf)!.Value;
        Assert.Equal((90, 10), (training.Examples.Count, held.Examples.Count));
        Assert.Empty(training.Examples.Select(pair => pair.Text).Intersect(held.Examples.Select(pair => pair.Text)));
    }

    [Theory]
    [InlineData("query,document\nq,a\n", "expected one with the relevance")]
    [InlineData("query,document,relevance\nq,a,-1\n", "line 2: the relevance -1 found, expected a number of at least 0")]
    [InlineData("query,document,relevance\nq,a,much\n", "line 2: score \"much\" found")]
    [InlineData("query,document,relevance\nq,,1\n", "line 2: field \"document\" is missing or empty")]
    [InlineData("document,relevance\na,1\n", "expected a text column")]
    public void DataThatSayNothingOfARankingAreRefused(string rows, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<InputException>(() => Load(rows)).Message, StringComparison.Ordinal);

    private Dataset Load(string rows) => DatasetFile.Load(folder.Write("d.csv", rows), new DatasetOptions { Kind = TaskKinds.Ranking });
}
