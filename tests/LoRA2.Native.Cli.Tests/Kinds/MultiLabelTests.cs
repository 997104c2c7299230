using System.Text.Json;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests.Kinds;

public sealed class MultiLabelTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void TextsOfSeveralLabelsAreLearnedEvaluatedPredictedAndMerged()
    {
        string model = TinyModel.Write(folder), data = folder.Write("things.jsonl", Rows((text, labels) => $"{{\"text\": \"{text}\", \"labels\": [{string.Join(", ", labels.Select(label => $"\"{label}\""))}]}}"));
        string output = folder.File("out"), merged = folder.File("merged");
        JsonElement run = Lora2.Run(Finetune(model, data, output, "--thresholds", "tuned", "--json")).Done().Json;
        Assert.Equal("multi-label", run.GetProperty("kind").GetString());
        double f1 = run.GetProperty("metrics").GetProperty("micro_f1").GetDouble(), always = run.GetProperty("majority_micro_f1").GetDouble();
        Assert.True(f1 > always + 0.1, $"micro F1 {f1}, {always} by always answering the most frequent label");
        Assert.Equal(2, run.GetProperty("fitted").GetProperty("thresholds").GetArrayLength());
        Assert.Equal(8, run.GetProperty("data").GetProperty("held_out_examples").GetInt32());

        JsonElement task = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "task.json"))).RootElement;
        Assert.Equal("multi-label", task.GetProperty("kind").GetString());
        Assert.True(JsonElement.DeepEquals(run.GetProperty("fitted").GetProperty("thresholds"), task.GetProperty("thresholds")));
        Assert.Contains("By label", File.ReadAllText(Path.Combine(output, "report.html")), StringComparison.Ordinal);

        JsonElement score = Lora2.Run("evaluate", "--model", model, "--adapter", output, "--file", data, "--json").Done().Json;
        Assert.Equal(run.GetProperty("fitted").GetProperty("micro_f1").GetDouble(), score.GetProperty("metrics").GetProperty("micro_f1").GetDouble(), 1e-6);
        Lora2.Run("merge", "--model", model, "--adapter", output, "--output", merged).Done();
        Assert.Contains("\"multi_label_classification\"", File.ReadAllText(Path.Combine(merged, "config.json")), StringComparison.Ordinal);
        JsonElement[] both = [.. ((string[][])[["--model", model, "--adapter", output], ["--model", merged]]).Select(where => Assert.Single(Lora2.RunWith("a red box\n", ["predict", .. where]).Done().JsonLines))];
        Assert.Equal(["red", "small"], both[0].GetProperty("probabilities").EnumerateObject().Select(label => label.Name));
        Assert.Equal(both[0].GetProperty("labels").ToString(), both[1].GetProperty("labels").ToString());
        Assert.False(both[0].TryGetProperty("score", out _));
    }

    [Fact]
    public void LabelsInColumnsAndWithASeparatorAreTheSameData()
    {
        string model = TinyModel.Write(folder);
        string joined = folder.Write("joined.tsv", "text\tlabels\n" + Rows((text, labels) => $"{text}\t{string.Join('|', labels)}"));
        string columns = folder.Write("columns.csv", "text,red,small\n" + Rows((text, labels) => $"{text},{(labels.Contains("red") ? 1 : 0)},{(labels.Contains("small") ? 1 : 0)}"));
        Lora2.Run([.. Finetune(model, joined, folder.File("one")), "--max-steps", "3", "--label-separator", "|"]).Done();
        Lora2.Run([.. Finetune(model, columns, folder.File("two")), "--max-steps", "3", "--label-column", "red,small"]).Done();
        Assert.Equal(TinyModel.Weights(folder.File("one")), TinyModel.Weights(folder.File("two")));
    }

    [Fact]
    public void SeveralNumbersATextAreLearnedAndScoredOneByOne()
    {
        string model = TinyModel.Write(folder);
        string data = folder.Write("numbers.csv", "text,redness,size\n" + Rows((text, labels) => $"{text},{(labels.Contains("red") ? 0.9 : 0.1)},{(labels.Contains("small") ? 1.5 : 4)}"));
        string output = folder.File("out");
        string[] train = ["finetune", "--model", model, "--train", data, "--dev", data, "--task", "regression", "--label-column", "redness,size", "--method", "full", "--learning-rate", "1e-2", "--epochs", "6", "--batch-size", "8", "--output", output, "--json"];
        JsonElement metrics = Lora2.Run(train).Done().Json.GetProperty("metrics");
        Assert.Equal(["pearson", "spearman", "mse", "pearson_redness", "spearman_redness", "mse_redness", "pearson_size", "spearman_size", "mse_size"], metrics.EnumerateObject().Select(metric => metric.Name));
        Assert.Equal((metrics.GetProperty("pearson_redness").GetDouble() + metrics.GetProperty("pearson_size").GetDouble()) / 2, metrics.GetProperty("pearson").GetDouble(), 1e-12);
        JsonElement answer = Assert.Single(Lora2.RunWith("a small red box\n", "predict", "--model", output).Done().JsonLines);
        Assert.Equal(["redness", "size"], answer.GetProperty("scores").EnumerateObject().Select(score => score.Name));
        Assert.Contains("\"regression\"", File.ReadAllText(Path.Combine(output, "config.json")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"text\": \"a\", \"labels\": [\"red\"]}\n{\"text\": \"b\"}\n", "line 2: field \"labels\" is missing")]
    [InlineData("{\"text\": \"a\", \"labels\": [\"red\"]}\n{\"text\": \"b\", \"labels\": {\"red\": 1}}\n", "line 2: field \"labels\" is \"{")]
    [InlineData("{\"text\": \"a\", \"labels\": [\"red\"]}\n{\"text\": \"b\", \"labels\": [[\"red\"]]}\n", "line 2: field \"labels\" has \"[")]
    [InlineData("{\"text\": \"a\", \"labels\": []}\n{\"text\": \"b\", \"labels\": []}\n", "no row has a label")]
    public void ARowThatHasNoListOfLabelsIsRefused(string rows, string expected) =>
        Assert.Contains(expected, Lora2.Run(Finetune(TinyModel.Write(folder), folder.Write("bad.jsonl", rows), folder.File("out"))).Refused(), StringComparison.Ordinal);

    [Fact]
    public void ALabelThatTheTrainingDataLackIsRefused()
    {
        string train = folder.Write("train.jsonl", "{\"text\": \"a\", \"labels\": [\"red\"]}\n"), dev = folder.Write("dev.jsonl", "{\"text\": \"a\", \"labels\": [\"red\", \"blue\"]}\n");
        string refusal = Lora2.Run("finetune", "--model", TinyModel.Write(folder), "--train", train, "--dev", dev, "--task", "multi-label", "--output", folder.File("out")).Refused();
        Assert.Contains("line 1: label \"blue\" found, expected one of red", refusal, StringComparison.Ordinal);
    }

    private static string[] Finetune(string model, string data, string output, params string[] more) =>
        ["finetune", "--model", model, "--train", data, "--dev", data, "--task", "multi-label", "--method", "lora", "--rank", "4", "--learning-rate", "2e-2", "--epochs", "8", "--batch-size", "8", "--output", output, .. more];

    /// <summary>80 texts that have their labels as words in them: half of them red, a third small.</summary>
    private static string Rows(Func<string, string[], string> row) => string.Concat(Enumerable.Range(0, 80).Select(i =>
    {
        string[] labels = [.. (string[])[i % 2 == 0 ? "red" : "", i % 3 == 0 ? "small" : ""]];
        labels = [.. labels.Where(label => label.Length > 0)];
        string text = $"a {(labels.Contains("small") ? "small" : "big")} {(labels.Contains("red") ? "red" : "green")} {((string[])["box", "car", "house", "tree", "book"])[i % 5]}";
        return row(text, labels) + "\n";
    }));
}
