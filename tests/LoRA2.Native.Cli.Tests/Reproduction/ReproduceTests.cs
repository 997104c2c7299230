using LoRA2.Native.Cli.Tests.Comparison;

namespace LoRA2.Native.Cli.Tests.Reproduction;

public sealed class ReproduceTests : IDisposable
{
    private readonly TinyComparison tiny = new();

    public void Dispose() => tiny.Dispose();

    [Fact]
    public void WithoutAModelThereAreThePapersFiguresAndTheCounts()
    {
        CommandResult table = Lora2.Run("reproduce", "table2", "--tasks", "CoLA").Done();
        Assert.Matches(@"\| query, key, k=1 +\| 37\.4k +\| 37,440 +\| — \(—\)", table.Output);
        Assert.Matches(@"\| CoLA +\| — \(1\.14\) +\| — \(1\.01\) +\| — \(1\.13\)", Lora2.Run("reproduce", "table4", "--tasks", "CoLA,RTE").Done().Output);
        Assert.False(Directory.Exists(tiny.Output));
    }

    [Fact]
    public void RegularisersAreRunAndShownBesideThePaper()
    {
        CommandResult result = Lora2.Run(Arguments("table3", "--max-steps", "6", "--with", "batch-size=4", "--parallel", "2", "--json")).Done();
        Assert.Equal(["none", "uv", "UV", "uv+UV", "PQ", "all"], result.Json.GetProperty("tables")[0].GetProperty("rows").EnumerateArray().Select(row => row[0].GetString()));
        Assert.Equal("RTE", result.Json.GetProperty("tables")[0].GetProperty("headers")[4].GetString());
        string markdown = tiny.Read("table3/table3.md");
        Assert.Contains("Not as in the paper: 6 steps; warm-up and budget with the same shares of the run as in the paper's; batch-size 4.", markdown, StringComparison.Ordinal);
        Assert.Matches(@"\| uv\+UV \| — +\| 166,752 +\| [0-9,]+ +\| [0-9.]+ \(n=1\) \(—\)", markdown);
        Assert.Contains("6 of 6 runs are finished", tiny.Read("table3/table3.html"), StringComparison.Ordinal);
        Assert.Equal(7, tiny.Read("table3/table3.csv").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("6 runs, 6 of them finished already", Lora2.Run(Arguments("table3", "--max-steps", "6", "--with", "batch-size=4")).Done().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void SurvivingSingularValuesAreShownByLayerAndMatrix()
    {
        CommandResult result = Lora2.Run(Arguments("figure3", "--max-steps", "6", "--with", "batch-size=4")).Done();
        // RTE's preset keeps 3 of 4 in each of the tiny model's matrices, on average: two layers of six.
        Assert.Contains("Singular values that survive: LoRA2 k=8 · RTE · seed 1, 36 in all", result.Output, StringComparison.Ordinal);
        Assert.Matches(@"\| layer \| query +\| key +\| value +\| attention\.output \| intermediate \| output \| mean", result.Output);
        Assert.Matches(@"\| mean +\|.*\| 3\.00 +\|", result.Output);
    }

    [Fact]
    public void TimesAreOfRunsInTurns()
    {
        CommandResult result = Lora2.Run(Arguments("table4", "--max-steps", "6", "--with", "batch-size=4")).Done();
        Assert.Matches(@"\| RTE \| [0-9.]+ \(—\) +\| [0-9.]+ \(—\) +\| [0-9.]+ \(—\)", result.Output);
        Assert.Contains("leave --parallel out", Lora2.Run(Arguments("table4", "--parallel", "2")).Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("there is no 'table5'; table1, table2, table3, table4, figure3 can be reproduced", "table5")]
    [InlineData("--model needs --data", "table1", "--model", "x")]
    [InlineData("--data needs --model", "table1", "--data", "x")]
    [InlineData("--model needs --output", "table1", "--data", "x", "--model", "x")]
    [InlineData("model folder '/nowhere' does not exist", "table1", "--data", "x", "--model", "/nowhere", "--output", "y")]
    [InlineData("task \"CoLLA\" is unknown", "table1", "--tasks", "CoLLA")]
    [InlineData("option --seeds is 'x'", "table1", "--seeds", "1,x")]
    [InlineData("'rnak' is no option of lora2 finetune", "table1", "--with", "rnak=1")]
    [InlineData("option --rank is 'x'", "table1", "--with", "rank=x")]
    [InlineData("'recompute=1': recompute alone was expected", "table1", "--with", "recompute=1")]
    [InlineData("'rank': rank=VALUE was expected", "table1", "--with", "rank")]
    [InlineData("'seed=1': this option of finetune can't be given here", "table1", "--with", "seed=1")]
    [InlineData("--with can't change the method", "table1", "--with", "method=lora")]
    [InlineData("--with can't change the length", "table1", "--with", "epochs=1")]
    public void WhatIsWrongIsSaidInOneSentence(string sentence, params string[] args) =>
        Assert.Contains(sentence, Lora2.Run(["reproduce", .. args]).Refused(), StringComparison.Ordinal);

    [Fact]
    public void ATaskWithoutDataIsRefused() => Assert.Contains("there is no CoLA/train.tsv", Lora2.Run(Arguments("table1", "--tasks", "CoLA")).Refused(), StringComparison.Ordinal);

    private string[] Arguments(string table, params string[] more)
    {
        string[] tasks = more.Contains("--tasks") ? [] : ["--tasks", "RTE"];
        return ["reproduce", table, "--model", Path.Combine(tiny.Folder, "model"), "--data", Path.Combine(tiny.Folder, "glue"), "--output", tiny.Output, "--seeds", "1", .. tasks, .. more];
    }
}
