using LoRA2.Native.Data;
using LoRA2.Native.Experiments.Comparison;
using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Experiments.Tests.Comparison;

/// <summary>A comparison as a program makes it, without the command.</summary>
public sealed class ComparisonRunTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ScriptedRunner runner = new();
    private readonly List<int> written = [];

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ResultsAreWrittenAtTheStartAndAfterEachRun()
    {
        (ComparisonEnd end, ComparisonTable table) = Compare(Plan());
        Assert.Equal((ComparisonEnd.Done, 4), (end, table.Finished));
        Assert.Equal([0, 1, 2, 3, 4], written);
        Assert.Equal(["a · RTE · seed 1", "b · RTE · seed 1", "a · RTE · seed 2", "b · RTE · seed 2"], runner.Made);
        Assert.Equal("51.50 ± 0.50", table.Rows[0].Tasks[0].Text);
    }

    [Fact]
    public void OnlyWhatIsNotThereOrWasAskedForOtherwiseIsRun()
    {
        Compare(Plan());
        runner.Made.Clear();
        Compare(Plan());
        Assert.Empty(runner.Made);
        Compare(Plan(new RunOption("threads", "3")));
        Assert.Empty(runner.Made);
        Compare(Plan(new RunOption("rank", "3")));
        Assert.Equal(["b · RTE · seed 1", "b · RTE · seed 2"], runner.Made);
    }

    [Fact]
    public void ARunThatFailsIsTheOnlyOneThatIsTriedAgain()
    {
        runner.Script = cell => cell.Method == "a" && cell.Seed == 1 ? double.NaN : 0.5;
        (ComparisonEnd end, ComparisonTable table) = Compare(Plan());
        Assert.Equal((ComparisonEnd.Failed, 3, "it broke"), (end, table.Finished, table.Failed.Single().Failure));
        runner.Made.Clear();
        runner.Script = _ => 0.5;
        Assert.Equal(ComparisonEnd.Done, Compare(Plan()).End);
        Assert.Equal(["a · RTE · seed 1"], runner.Made);
    }

    [Fact]
    public void ACancelledComparisonGoesOnWhereItWas()
    {
        using var source = new CancellationTokenSource();
        runner.Script = cell =>
        {
            if (cell.Seed == 2) source.Cancel();
            return 0.5;
        };
        (ComparisonEnd end, ComparisonTable table) = Compare(Plan(), 1, source.Token);
        Assert.Equal((ComparisonEnd.Cancelled, 2), (end, table.Finished));
        runner.Made.Clear();
        Assert.Equal(ComparisonEnd.Done, Compare(Plan()).End);
        Assert.Equal(["a · RTE · seed 2", "b · RTE · seed 2"], runner.Made);
    }

    [Fact]
    public void AsManyRunsAsAskedForAreMadeAtATime()
    {
        using var both = new Barrier(2);
        runner.Script = _ => both.SignalAndWait(TimeSpan.FromMinutes(1)) ? 0.5 : double.NaN;
        Assert.Equal(ComparisonEnd.Done, Compare(Plan(), 2).End);
        Assert.Equal(2, runner.Most);
        Assert.Equal([0, 1, 2, 3, 4], written);
    }

    [Fact]
    public void ADefectOfTheRunnerEndsTheComparison()
    {
        runner.Script = _ => throw new NotSupportedException("no such thing");
        Assert.Throws<NotSupportedException>(() => Compare(Plan()));
        Assert.Single(runner.Made);
    }

    [Fact]
    public void AFolderThatAnotherProcessWritesToIsRefused()
    {
        using FileStream hold = new RunFolder(folder.Path).Hold();
        Assert.Contains("another process writes to this folder", Assert.Throws<InputException>(() => Compare(Plan())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("learning-rate=1e-3", "learning-rate 0.001")]
    [InlineData("recompute", "recompute true")]
    [InlineData("from=007", "from 007")]
    public void AnOptionIsReadInOneForm(string given, string expected) => Assert.Equal(expected, new RunOptions(runner).Parse(given).ToString());

    [Fact]
    public void APlanMayNameAModelThatTheRunnerKnows()
    {
        Directory.CreateDirectory(folder.File(Path.Combine("glue", "RTE")));
        folder.Write(Path.Combine("glue", "RTE", "train.tsv"), "");
        folder.Write(Path.Combine("glue", "RTE", "dev.tsv"), "");
        string Json(string model) => folder.Write("plan.json", $$"""{ "model": "{{model}}", "data": "glue", "tasks": ["RTE"], "seeds": [1], "methods": [{ "name": "a", "options": { "method": "lora" } }] }""");
        Assert.Equal("own", ComparisonFile.Load(Json("own"), runner).Model);
        Assert.Contains("model: there is no folder", Assert.Throws<InputException>(() => ComparisonFile.Load(Json("other"), runner)).Message, StringComparison.Ordinal);
    }

    private static ComparisonPlan Plan(params RunOption[] ofB)
    {
        ComparedMethod Method(string name, params RunOption[] options) => new(name, new Dictionary<string, IReadOnlyList<RunOption>> { ["RTE"] = options });
        return new ComparisonPlan("t", "m", "d", [GlueTask.Get("RTE")], [1, 2], [Method("a"), Method("b", ofB)], ScoreChoice.Best);
    }

    private (ComparisonEnd End, ComparisonTable Table) Compare(ComparisonPlan plan, int parallel = 1, CancellationToken cancellation = default)
    {
        written.Clear();
        var run = new ComparisonRun(plan, runner, folder.Path, parallel);
        ComparisonEnd end = run.Run(new NoProgress(), table => written.Add(table.Finished), cancellation);
        return (end, run.Table);
    }

    private sealed class NoProgress : IComparisonProgress
    {
        public void Note(string text)
        {
        }

        public void Started(Cell cell)
        {
        }

        public void Moved(Cell cell, int step, int total)
        {
        }

        public void Ended(Cell cell, string text, int done, int total)
        {
        }
    }
}
