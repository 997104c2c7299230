using System.Text.Json;
using LoRA2.Native.Cli.Tests;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

/// <summary>MNLI is scored on the matched and on the mismatched development set.</summary>
public sealed class MnliTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void FinetuneAndEvaluateReportBothDevelopmentSets()
    {
        (string glue, string adapter) = (TinyGlue.WriteMnli(folder), folder.File("mnli"));
        CommandResult run = TinyGlue.Finetune(folder, "MNLI", glue, adapter, "--epochs", "3").Done();
        Assert.Contains("MNLI dev: 5 examples, 1 rows skipped\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("MNLI dev_mismatched: 4 examples\n", run.Output, StringComparison.Ordinal);
        using JsonDocument record = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(adapter, "training.json")));
        JsonElement root = record.RootElement, best = root.GetProperty("metrics"), history = root.GetProperty("history");
        Assert.Equal(["accuracy", "mismatched_accuracy"], best.EnumerateObject().Select(metric => metric.Name));
        Assert.Equal(3, history.GetArrayLength());
        JsonElement chosen = history.EnumerateArray().Single(point => point.GetProperty("step").GetInt32() == root.GetProperty("best_step").GetInt32());
        Assert.True(JsonElement.DeepEquals(best, chosen.GetProperty("metrics")));
        double[] matched = [.. history.EnumerateArray().Select(point => point.GetProperty("metrics").GetProperty("accuracy").GetDouble())];
        Assert.Equal(matched.Max(), best.GetProperty("accuracy").GetDouble());
        Assert.Equal(4, root.GetProperty("data").GetProperty("mismatched_dev_examples").GetInt32());
        Assert.Contains("mismatched_accuracy", File.ReadAllText(Path.Combine(adapter, "report.html")), StringComparison.Ordinal);

        string[] evaluate = ["evaluate", "--adapter", adapter, "--task", "MNLI", "--data", glue, "--json"];
        JsonElement both = Lora2.Run(evaluate).Done().Json;
        Assert.True(JsonElement.DeepEquals(best, both.GetProperty("metrics")), $"{best} and {both}");
        Assert.Equal((5, 4), (both.GetProperty("examples").GetInt32(), both.GetProperty("mismatched_examples").GetInt32()));
        JsonElement one = Lora2.Run([.. evaluate, "--split", "dev_mismatched"]).Done().Json.GetProperty("metrics");
        Assert.Equal(best.GetProperty("mismatched_accuracy").GetDouble(), Assert.Single(one.EnumerateObject()).Value.GetDouble());
        Assert.Matches(@"accuracy +\d\.\d{4}\nmismatched_accuracy +\d\.\d{4}\n$", Lora2.Run(evaluate[..^1]).Done().Output);
    }

    [Fact]
    public void BothAreNeeded()
    {
        string glue = TinyGlue.WriteMnli(folder);
        File.Delete(Path.Combine(glue, "MNLI", "dev_mismatched.tsv"));
        Assert.Contains("expected the dev_mismatched split of MNLI", TinyGlue.Finetune(folder, "MNLI", glue, folder.File("out")).Refused(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.File("out")));
    }
}
