using System.Text.RegularExpressions;
using LoRA2.Native.Data;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

/// <summary>The data set that a fresh clone trains with.</summary>
public partial class QuickStartDataTests
{
    private static readonly string Folder = SharedData.QuickStart;
    private static readonly Dataset Train = DatasetFile.Load(Path.Combine(Folder, "tickets.train.tsv"));
    private static readonly Dataset Dev = DatasetFile.Load(Path.Combine(Folder, "tickets.dev.tsv"),
        new() { LabelNames = Train.LabelNames });

    [Fact]
    public void EightIntentsInBothSplits()
    {
        Assert.Equal(1700, Train.Examples.Count);
        Assert.Equal(300, Dev.Examples.Count);
        Assert.Equal(8, Train.LabelNames!.Count);
        foreach (Dataset split in new[] { Train, Dev })
        {
            int[] counts = [.. split.Examples.CountBy(e => e.Label).Select(p => p.Value)];
            Assert.Equal(8, counts.Length);
            // A bit imbalanced: the majority class alone is worth 18 %.
            Assert.InRange(counts.Max() / (double)split.Examples.Count, 0.15, 0.2);
            Assert.True(counts.Min() >= split.Examples.Count / 20);
        }
    }

    [Fact]
    public void NoTicketTwiceAndOfTicketsLength()
    {
        List<string> texts = [.. Train.Examples.Concat(Dev.Examples).Select(e => string.Join(' ', Words(e.Text)))];
        Assert.Equal(texts.Count, texts.Distinct().Count());
        Assert.All(Train.Examples.Concat(Dev.Examples), e => Assert.InRange(e.Text.Split(' ').Length, 5, 40));
    }

    /// <summary>A development ticket is worded unlike every training ticket: hardly any four words in a row are shared.</summary>
    [Fact]
    public void DevelopmentPhrasingsAreNotInTraining()
    {
        const int n = 4;
        HashSet<string> seen = [.. Train.Examples.SelectMany(e => Grams(e.Text, n))];
        IEnumerable<List<string>> grams = Dev.Examples.Select(e => Grams(e.Text, n)).Where(g => g.Count > 0);
        double[] shared = [.. grams.Select(g => g.Count(seen.Contains) / (double)g.Count)];
        Assert.True(shared.Average() < 0.05, $"{shared.Average():p1} of the development split's 4-grams are in training");
        Assert.True(shared.Max() < 0.4, $"one development ticket shares {shared.Max():p0} of its 4-grams with training");
        // The words themselves are mostly known, or there would be nothing to learn from.
        HashSet<string> words = [.. Train.Examples.SelectMany(e => Words(e.Text))];
        Assert.True(Dev.Examples.SelectMany(e => Words(e.Text)).Average(w => words.Contains(w) ? 1.0 : 0) > 0.8);
    }

    private static List<string> Words(string text) => [.. Word().Matches(text.ToLowerInvariant()).Select(m => m.Value)];

    private static List<string> Grams(string text, int n)
    {
        List<string> words = Words(text);
        return [.. Enumerable.Range(0, Math.Max(0, words.Count - n + 1)).Select(i => string.Join(' ', words.Skip(i).Take(n)))];
    }

    [GeneratedRegex("[a-z0-9']+")]
    private static partial Regex Word();
}
