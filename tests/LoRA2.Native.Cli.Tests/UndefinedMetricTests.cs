using System.Text.Json;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

/// <summary>A score that is 0 because nothing else could be said of it says so, wherever it is shown.</summary>
public sealed class UndefinedMetricTests : IDisposable
{
    private const string Why = "undefined, as every true value is 3; 0 was taken";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void CorrelationWithOneNumberIsSaidToBeUndefined()
    {
        string train = folder.Write("train.tsv", "text\tlabel\ngood\t1\nbad\t2\nfine\t3\nawful\t4\n"), development = folder.Write("dev.tsv", "text\tlabel\ngood\t3\nbad\t3\nfine\t3\n"), output = folder.File("out");
        CommandResult run = Lora2.Run(
            "finetune", "--model", TinyModel.Write(folder), "--train", train, "--dev", development, "--task", "regression", "--method", "lora", "--output", output, "--max-steps", "4", "--evaluate-every", "1").Done();
        Assert.Contains($"pearson: {Why}", run.Output + run.Error, StringComparison.Ordinal);
        JsonElement record = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(output, "training.json"))).RootElement;
        Assert.Equal(0, record.GetProperty("metrics").GetProperty("pearson").GetDouble());
        Assert.Equal(Why, record.GetProperty("undefined_metrics").GetProperty("pearson").GetString());
        Assert.All(record.GetProperty("history").EnumerateArray(), point => Assert.Equal(Why, point.GetProperty("undefined_metrics").GetProperty("spearman").GetString()));
        Assert.Contains(Why, File.ReadAllText(Path.Combine(output, "report.html")), StringComparison.Ordinal);

        string[] evaluate = ["evaluate", "--model", folder.File("model"), "--adapter", output, "--file"];
        JsonElement json = Lora2.Run([.. evaluate, development, "--json"]).Done().Json;
        Assert.Equal(0, json.GetProperty("metrics").GetProperty("spearman").GetDouble());
        Assert.Equal(Why, json.GetProperty("undefined_metrics").GetProperty("spearman").GetString());
        Assert.Contains($"pearson      0.0000  ({Why})", Lora2.Run([.. evaluate, development]).Done().Output, StringComparison.Ordinal);
        Assert.False(Lora2.Run([.. evaluate, train, "--json"]).Done().Json.TryGetProperty("undefined_metrics", out _));
    }
}
