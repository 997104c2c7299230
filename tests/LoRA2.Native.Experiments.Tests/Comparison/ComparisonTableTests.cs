using System.Text;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Experiments.Comparison;

namespace LoRA2.Native.Experiments.Tests.Comparison;

public sealed class ComparisonTableTests
{
    private static readonly GlueTask Cola = GlueTask.Get("CoLA"), Rte = GlueTask.Get("RTE");

    /// <summary>By hand: mean 2.5, deviations 1.5 and 0.5 twice each, √(5 / 3 / 4) = 0.6454972.</summary>
    [Fact]
    public void MeanAndStandardErrorAreThoseByHand()
    {
        ScoreSummary four = ScoreSummary.Of([1, 2, 3, 4])!;
        Assert.Equal((4, 2.5), (four.Count, four.Mean));
        Assert.Equal(0.645497224367903, four.StandardError!.Value, 1e-15);
        Assert.Equal(0, ScoreSummary.Of([0.7, 0.7])!.StandardError);
        Assert.Equal(new ScoreSummary(1, 0.5, null), ScoreSummary.Of([0.5]));
        Assert.Null(ScoreSummary.Of([]));
    }

    [Fact]
    public void AScoreSaysHowManySeedsItHasWhereThatIsWorthSaying()
    {
        Assert.Equal("70.00 ± 10.00", ScoreSummary.Of([0.6, 0.8])!.Text(2));
        Assert.Equal("70.00 ± 10.00 (n=2 of 3)", ScoreSummary.Of([0.6, 0.8])!.Text(3));
        Assert.Equal("60.00 (n=1 of 3)", ScoreSummary.Of([0.6])!.Text(3));
        Assert.Equal("60.00 (n=1)", ScoreSummary.Of([0.6])!.Text(1));
    }

    [Fact]
    public void RowsHaveMeansAveragesCountsAndFailures()
    {
        ComparisonTable table = ComparisonTable.Of(
            Plan(ScoreChoice.Best),
            [
                Ran("a", Cola, 1, 0.50), Ran("a", Cola, 2, 0.54), Ran("a", Rte, 1, 0.60), Ran("a", Rte, 2, 0.66),
                Ran("b", Cola, 1, 0.58, parameters: 2000), new CellOutcome(Of("b", Cola, 2), null, "it broke"), new CellOutcome(Of("b", Rte, 1), null, "it, too,\nbroke"), new CellOutcome(Of("b", Rte, 2), null, null),
            ]);
        ComparisonRow a = table.Rows[0], b = table.Rows[1];
        Assert.Equal(["52.00 ± 2.00", "63.00 ± 3.00"], a.Tasks.Select(cell => cell.Text));
        // √(0.02² + 0.03²) / 2.
        Assert.Equal("57.50 ± 1.80", a.Average!.Text(2));
        Assert.Equal(["58.00 (n=1 of 2)", "failed"], b.Tasks.Select(cell => cell.Text));
        Assert.Null(b.Average);
        Assert.Equal((false, true, true), (table.IsBest(a, 0), table.IsBest(b, 0), table.IsBest(a)));
        Assert.Equal(("1,000", "2,000", 5), (a.AdapterParameters, b.AdapterParameters, table.Finished));

        string markdown = ComparisonMarkdown.Of(table);
        Assert.Contains("| a      | 1,000   | 30   | 52.00 ± 2.00         | **63.00 ± 3.00** | **57.50 ± 1.80** |", markdown, StringComparison.Ordinal);
        Assert.Contains("- b · CoLA · seed 2: it broke", markdown, StringComparison.Ordinal);
        string[] csv = ComparisonCsv.Of(table).Split('\n');
        Assert.StartsWith("method,task,seed,metric,value,score_of,step,matthews,accuracy,last_value,", csv[0], StringComparison.Ordinal);
        Assert.StartsWith("a,CoLA,1,matthews,0.5,best evaluation,20,0.5,0.9,0.4,40,1000,30,", csv[1], StringComparison.Ordinal);
        Assert.Equal(csv[0].Count(c => c == ','), csv[6].Count(c => c == ','));
        Assert.Contains("it broke", csv[6], StringComparison.Ordinal);
        string page = Encoding.UTF8.GetString(ComparisonPage.Of(table));
        Assert.Contains("<strong>63.00 ± 3.00</strong>", page, StringComparison.Ordinal);
        Assert.Contains("<title>seed 2: 66.00</title>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http:", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https:", page, StringComparison.Ordinal);
    }

    [Fact]
    public void TheLastEvaluationsScoreIsShownWhenAskedFor()
    {
        ComparisonTable table = ComparisonTable.Of(Plan(ScoreChoice.Last), [Ran("a", Cola, 1, 0.50), Ran("a", Cola, 2, 0.54)]);
        Assert.Equal("42.00 ± 2.00", table.Rows[0].Tasks[0].Text);
        Assert.Contains("after each run's last step", table.ScoreText, StringComparison.Ordinal);
    }

    private static ComparisonPlan Plan(ScoreChoice score)
    {
        var options = new Dictionary<string, IReadOnlyList<RunOption>> { ["CoLA"] = [new("rank", "1"), new("epochs", "3")], ["RTE"] = [new("rank", "2"), new("epochs", "3")] };
        return new ComparisonPlan("t", "m", "d", [Cola, Rte], [1, 2], [new ComparedMethod("a", options), new ComparedMethod("b", options)], score);
    }

    private static Cell Of(string method, GlueTask task, ulong seed) => new(method, task, seed, [], "x");

    private static CellOutcome Ran(string method, GlueTask task, ulong seed, double score, long parameters = 1000) => new(
        Of(method, task, seed),
        new CellResult
        {
            Best = [.. task.Metrics.Select((metric, i) => new MetricValue(metric.Name, i == 0 ? score : 0.9))],
            BestStep = 20,
            Last = [new MetricValue(task.Metrics[0].Name, score - 0.1)],
            Evaluations = 2,
            Steps = 40,
            AdapterParameters = parameters,
            HeadParameters = 30,
            Seconds = 12,
            TrainingSeconds = 10,
            Family = EncoderFamilies.All[0],
            Ranks = new Dictionary<string, int>(),
            ResumedAfter = 0,
            TokensPerSecond = 100,
            PeakMemoryMB = 200,
            Machine = "here",
            Threads = 1,
        },
        null);
}
