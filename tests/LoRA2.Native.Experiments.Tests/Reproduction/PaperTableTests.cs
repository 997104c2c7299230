using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Experiments.Comparison;
using LoRA2.Native.Experiments.Reproduction;
using LoRA2.Native.Experiments.Tests.Comparison;

namespace LoRA2.Native.Experiments.Tests.Reproduction;

public class PaperTableTests
{
    private static readonly RunLength Papers = new(null, null);
    private static readonly ScriptedRunner Runner = new();
    private static readonly RunOptions Options = new(Runner);

    /// <summary>METHODS.md's table.</summary>
    [Fact]
    public void Table2CountsThePapersParametersExactly() => Assert.Equal(["37,440", "56,160", "167,616", "1,336,896"], Counts(PaperTable.Table2, "CoLA", "MNLI"));

    [Fact]
    public void Table1HasThePapersMethodsAndTheirParameters()
    {
        Assert.Equal(
            ["full fine-tuning", "BitFit", "AdaLoRA r=2", "LoRA r=1", "SoRA r=1", "LoRA2 k=1", "AdaLoRA r=8", "LoRA r=8", "SoRA r=8", "LoRA2 k=8"], PaperTable.Table1.Rows.Select(row => row.Paper.Name));
        // MNLI's LoRA2 starts with r = 8; 183,831,552 is the size of HuggingFace's DebertaV2Model.
        Assert.Equal(["183,831,552", "102,912", "497,880", "165,888", "165,960", "167,616", "1,327,680", "1,327,104", "1,327,680", "1,336,896"], Counts(PaperTable.Table1, "MNLI"));
        Assert.All(PaperTable.Table1.Rows, row => Assert.Equal(8, row.Paper.Scores.Count));
    }

    /// <summary>The paper's own averages come out when two figures of a task count half each, so the figures were typed right; but for LoRA2 k=8, of whose average a note warns.</summary>
    [Fact]
    public void ThePapersAveragesAreThoseOfItsFigures()
    {
        foreach (PaperExperiment row in PaperTable.Table1.Rows.SkipLast(1)) Assert.Equal(row.Paper.Average!.Value, row.Paper.AverageOver(PaperFigures.TaskOrder)!.Value, 0.006);
        PaperRow last = PaperTable.Table1.Rows[^1].Paper;
        Assert.Equal((89.68, 89.43), (last.Average!.Value, Math.Round(last.AverageOver(PaperFigures.TaskOrder)!.Value, 2)));
        Assert.Contains(PaperTable.Table1.Notes, note => note.Contains("89.68", StringComparison.Ordinal) && note.Contains("89.43", StringComparison.Ordinal));
        PaperRow lora2 = PaperTable.Table1.Rows.Single(row => row.Paper.Name == "LoRA2 k=1").Paper;
        Assert.Equal((70.63 + 89.53) / 2, lora2.AverageOver(["CoLA", "RTE"])!.Value, 1e-12);
        Assert.Null(PaperTable.Table3.Rows[0].Paper.AverageOver(["CoLA"]));
    }

    [Fact]
    public void Table3HasEveryChoiceOfLosses()
    {
        Assert.Equal(["none", "uv", "UV", "uv+UV", "PQ", "all"], PaperTable.Table3.Rows.Select(row => row.Paper.Name));
        Assert.Equal(["none", "uv", "UV", "uv+UV", "PQ", "all"], PaperTable.Table3.Rows.Select(row => row.Options(GlueTask.Get("RTE")).Single(option => option.Name == "regulariser").Value));
    }

    [Fact]
    public void TheSettingsAreTheAuthors()
    {
        GlueTask cola = GlueTask.Get("CoLA");
        Assert.Equal(
            "alpha 32, batch-size 32, budget-final 3500, budget-interval 10, budget-warmup 800, classifier-dropout 0.1, epochs 25, gamma 0.1, init gaussian, init-std 0.02, learning-rate 8e-4, max-length 64, method lora2, outer-rank 1, rank 4, singular-value-rate 1, target-rank 3, warmup 100, weight-decay 0",
            Text(PaperTable.Table1, 5, cola, Papers));
        Assert.Equal("alpha 32, batch-size 32, classifier-dropout 0.1, epochs 25, learning-rate 8e-4, max-length 64, method lora, rank 1, warmup 100, weight-decay 0", Text(PaperTable.Table1, 3, cola, Papers));
        Assert.Equal("batch-size 32, classifier-dropout 0.1, epochs 25, max-length 64, method bitfit, warmup 100, weight-decay 0", Text(PaperTable.Table1, 1, cola, Papers));
        Assert.Equal(
            "alpha 32, batch-size 32, classifier-dropout 0.1, epochs 25, gamma 0.1, init gaussian, init-std 0.02, learning-rate 8e-4, max-length 64, method lora2, outer-rank 1, rank 8, singular-value-rate 1, targets query,key, warmup 100, weight-decay 0", Text(PaperTable.Table2, 0, cola, Papers));
    }

    /// <summary>CoLA's 25 epochs are 25 · ⌈8551 / 32⌉ = 6,700 steps: 100, 800 and 3,500 of them are shares.</summary>
    [Fact]
    public void AShorterRunKeepsTheSharesOfThePapersSteps()
    {
        GlueTask cola = GlueTask.Get("CoLA");
        string shorter = Text(PaperTable.Table1, 5, cola, new RunLength(null, 50));
        Assert.Contains("budget-final 0.5224, budget-warmup 0.1194,", shorter, StringComparison.Ordinal);
        Assert.Contains("max-steps 50,", shorter, StringComparison.Ordinal);
        Assert.Contains("warmup 0.0149,", shorter, StringComparison.Ordinal);
        Assert.DoesNotContain("interval", shorter, StringComparison.Ordinal);
        Assert.Contains("epochs 2,", Text(PaperTable.Table1, 5, cola, new RunLength(2, null)), StringComparison.Ordinal);
    }

    [Fact]
    public void AnOptionThatAMethodLacksIsNotGivenToIt()
    {
        RunOption[] overrides = [Options.Parse("init-std=0.1"), Options.Parse("targets=query"), Options.Parse("precision=bfloat16"), Options.Parse("recompute")];
        var plan = new PaperPlan(PaperTable.Table1, null, null, [GlueTask.Get("RTE")], [1], Papers, overrides);
        string[] texts = [.. plan.Comparison.Methods.Select(method => string.Join(", ", method.Options["RTE"]))];
        Assert.Contains("init-std 0.1", texts[5], StringComparison.Ordinal);
        Assert.All(texts.Where((_, i) => i is not 5 and not 9), text => Assert.DoesNotContain("init-std", text, StringComparison.Ordinal));
        Assert.All(texts.Take(2), text => Assert.DoesNotContain("targets", text, StringComparison.Ordinal));
        Assert.All(texts, text => Assert.Contains("precision bfloat16, ", text, StringComparison.Ordinal));
        Assert.All(texts, text => Assert.Contains("recompute true, ", text, StringComparison.Ordinal));
    }

    private static string[] Counts(PaperTable table, params string[] tasks)
    {
        var plan = new PaperPlan(table, null, null, [.. tasks.Select(GlueTask.Get)], [1], Papers, []);
        return [.. table.Rows.Select(row => plan.ParametersOf(row, new DebertaV2Config(), Runner))];
    }

    private static string Text(PaperTable table, int row, GlueTask task, RunLength length) =>
        string.Join(", ", new PaperPlan(table, null, null, [task], [1], length, []).Comparison.Methods[row].Options[task.Name]);
}
