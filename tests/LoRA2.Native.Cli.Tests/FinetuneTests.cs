using System.Text.Json;
using LoRA2.Native.Cli.Tests;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

public sealed class FinetuneTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AWarmUpLongerThanTheRunIsSaid()
    {
        const string Warning = "the warm-up of 50 steps is longer than the run of 6, so that the learning rate never comes to what was asked for";
        Assert.Contains(Warning, Lora2.Run(TinyModel.Finetune(folder, folder.File("long"), "--max-steps", "6", "--warmup", "50")).Done().Error, StringComparison.Ordinal);
        Assert.DoesNotContain("warm-up", Lora2.Run(TinyModel.Finetune(folder, folder.File("short"), "--max-steps", "6", "--warmup", "2")).Done().Error, StringComparison.Ordinal);
    }

    [Fact]
    public void TheQuickStartTrainsSavesAndPredicts()
    {
        string output = folder.File("out");
        CommandResult result = Lora2.Run("finetune", "--max-steps", "4", "--batch-size", "4", "--output", output).Done();
        Assert.Contains("336,672 in the adapter + 150,920 in the head", result.Output, StringComparison.Ordinal);
        Assert.Contains("BERT, 6 layers of 384, 22,716,296 parameters", result.Output, StringComparison.Ordinal);
        Assert.Contains("by always answering delivery", result.Output, StringComparison.Ordinal);
        // What bench/quickstart/naive_bayes.py counts.
        Assert.Contains("naive Bayes  accuracy 0.8500 by counting words and word pairs", result.Output, StringComparison.Ordinal);
        Assert.Contains("charged twice", result.Output, StringComparison.Ordinal);
        Assert.Empty(result.Error);
        Assert.Equal(
            ["adapter_config.json", "adapter_model.safetensors", "report.html", "task.json", "training.json"], Directory.GetFiles(output).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        // The adapter names its base model by a name that every installation of the command resolves.
        JsonElement answer = Assert.Single(Lora2.RunWith("Where is my parcel?\n", "predict", "--adapter", output).Done().JsonLines);
        Assert.Equal(8, answer.GetProperty("probabilities").EnumerateObject().Count());
        Assert.Equal(1, answer.GetProperty("probabilities").EnumerateObject().Sum(label => label.Value.GetDouble()), 1e-6);
    }

    [Fact]
    public void WithoutADevelopmentFileAPartOfTheTrainingDataIsHeldOutAndThatIsSaid()
    {
        string model = TinyModel.Write(folder), train = TinyModel.WriteData(folder).Train, output = folder.File("out");
        string[] args = ["finetune", "--model", model, "--train", train, "--max-steps", "2", "--batch-size", "4", "--output", output, "--overwrite"];
        CommandResult result = Lora2.Run([.. args, "--dev-share", "0.25"]).Done();
        Assert.Contains("development  held out of train.tsv: ", result.Output, StringComparison.Ordinal);
        Assert.Contains("score        accuracy", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("score", Lora2.Run([.. args, "--dev-share", "0"]).Done().Output, StringComparison.Ordinal);
        Assert.Contains("--dev-share is for --train without --dev", Lora2.Run([.. args, "--dev", train, "--dev-share", "0.1"]).Refused(), StringComparison.Ordinal);

        // As HuggingFace's hub has data sets: the validation split is taken where there is one.
        string data = folder.File("set");
        Directory.CreateDirectory(data);
        File.Copy(train, Path.Combine(data, "train.tsv"));
        File.Copy(folder.File("dev.tsv"), Path.Combine(data, "validation.tsv"));
        Assert.Contains("development  validation.tsv: 20 examples", Lora2.Run(["finetune", "--model", model, "--train", data, "--max-steps", "2", "--output", output, "--overwrite"]).Done().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void JsonIsOneObjectWithEverythingAndTheRestGoesToStandardError()
    {
        string output = folder.File("out");
        CommandResult result = Lora2.Run(TinyModel.Finetune(folder, output, "--json")).Done();
        JsonElement json = result.Json;
        Assert.Contains("evaluation after step 5", result.Error, StringComparison.Ordinal);
        Assert.Contains("budget", result.Error, StringComparison.Ordinal);
        Assert.InRange(json.GetProperty("metrics").GetProperty("accuracy").GetDouble(), 0, 1);
        Assert.Equal(20, json.GetProperty("steps").GetInt32());
        Assert.Equal(4, json.GetProperty("history").GetArrayLength());
        foreach (string name in (string[])["seconds", "tokens_per_second", "peak_memory_mb"]) Assert.True(json.GetProperty(name).GetDouble() > 0, name);
        JsonElement parameters = json.GetProperty("parameters");
        // k (in + out) + 2 k r + r of four 8 × 8 matrices and two 8 × 16 ones, in two layers.
        Assert.Equal(2 * ((4 * ((2 * 16) + 16 + 4)) + (2 * ((2 * 24) + 16 + 4))), parameters.GetProperty("adapter").GetInt32());
        Assert.Equal(parameters.GetProperty("trained").GetInt32(), parameters.GetProperty("adapter").GetInt32() + parameters.GetProperty("head").GetInt32());
        Assert.Equal(3, json.GetProperty("options").GetProperty("budget").GetProperty("target_rank").GetInt32());
        Assert.Equal(0.1, json.GetProperty("hidden_dropout").GetDouble());
        Assert.Equal(result.Output, File.ReadAllText(Path.Combine(output, "training.json")));
    }

    [Fact]
    public void TheResultDoesNotDependOnTheNumberOfThreads()
    {
        Lora2.Run(TinyModel.Finetune(folder, folder.File("one"), "--threads", "1")).Done();
        Lora2.Run(TinyModel.Finetune(folder, folder.File("two"), "--threads", "2")).Done();
        Assert.Equal(TinyModel.Weights(folder.File("one")), TinyModel.Weights(folder.File("two")));
    }

    [Fact]
    public void AnotherSeedGivesAnotherResult()
    {
        Lora2.Run(TinyModel.Finetune(folder, folder.File("one"))).Done();
        Lora2.Run(TinyModel.Finetune(folder, folder.File("two"), "--seed", "43")).Done();
        Assert.NotEqual(TinyModel.Weights(folder.File("one")), TinyModel.Weights(folder.File("two")));
    }

    [Fact]
    public void PruningLeavesTheTargetRankOnAverage()
    {
        string output = folder.File("out");
        Lora2.Run(TinyModel.Finetune(folder, output)).Done();
        JsonElement ranks = Lora2.Run("inspect", output, "--json").Done().Json.GetProperty("effective_ranks");
        Assert.Equal(12, ranks.EnumerateObject().Count());
        JsonElement recorded = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "training.json"))).RootElement.GetProperty("ranks");
        Assert.Equal(
            ranks.EnumerateObject().ToDictionary(rank => rank.Name, rank => rank.Value.GetInt32()), recorded.EnumerateObject().ToDictionary(rank => rank.Name, rank => rank.Value.GetInt32()));
        Assert.InRange(ranks.EnumerateObject().Sum(rank => rank.Value.GetInt32()), 1, 4 * 12);
        Assert.Contains("36 of 48 singular values kept", Lora2.Run(TinyModel.Finetune(folder, folder.File("last"), "--evaluate-every", "20")).Done().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void FullFineTuningLeavesAModelFolder()
    {
        (string train, string development) = TinyModel.WriteData(folder);
        string output = folder.File("out");
        string[] args = ["finetune", "--model", TinyModel.Write(folder), "--train", train, "--dev", development, "--method", "full", "--output", output, "--max-steps", "3", "--json"];
        JsonElement json = Lora2.Run(args).Done().Json;
        Assert.Equal(json.GetProperty("parameters").GetProperty("total").GetInt64(), json.GetProperty("parameters").GetProperty("trained").GetInt64());
        JsonElement evaluated = Lora2.Run("evaluate", "--model", output, "--file", development, "--json").Done().Json;
        Assert.Equal(json.GetProperty("metrics").GetProperty("accuracy").GetDouble(), evaluated.GetProperty("metrics").GetProperty("accuracy").GetDouble());
    }

    [Fact]
    public void RegressionPredictsANumber()
    {
        string rows = string.Concat(Enumerable.Range(0, 12).Select(i => $"{{\"text\": \"row {i}\", \"score\": {i / 4.0}}}\n"));
        string data = folder.Write("scores.jsonl", rows);
        string output = folder.File("out");
        string[] args = ["finetune", "--model", TinyModel.Write(folder), "--train", data, "--dev", data, "--task", "regression", "--method", "lora", "--output", output, "--max-steps", "2", "--json"];
        JsonElement metrics = Lora2.Run(args).Done().Json.GetProperty("metrics");
        Assert.True(metrics.TryGetProperty("pearson", out _) && metrics.TryGetProperty("spearman", out _));
        JsonElement answer = Assert.Single(Lora2.Run("predict", "--adapter", output, "--text", "row 3").Done().JsonLines);
        Assert.Equal(JsonValueKind.Number, answer.GetProperty("score").ValueKind);
        Assert.False(answer.TryGetProperty("label", out _));
    }

    [Fact]
    public void AnEarlierResultIsKeptUnlessToldOtherwise()
    {
        string output = folder.File("out");
        Lora2.Run(TinyModel.Finetune(folder, output, "--max-steps", "10")).Done();
        byte[] before = TinyModel.Weights(output);
        Assert.Contains("there is a result already", Lora2.Run(TinyModel.Finetune(folder, output, "--max-steps", "10", "--seed", "9")).Refused(), StringComparison.Ordinal);
        Assert.Equal(before, TinyModel.Weights(output));
        Lora2.Run(TinyModel.Finetune(folder, output, "--max-steps", "10", "--seed", "9", "--overwrite")).Done();
        Assert.NotEqual(before, TinyModel.Weights(output));
    }

    [Fact]
    public void ALossThatIsNoNumberEndsTheRunWith1()
    {
        string output = folder.File("out");
        CommandResult result = Lora2.Run(TinyModel.Finetune(folder, output, "--learning-rate", "1e6", "--clip", "0", "--schedule", "constant", "--warmup", "0"));
        Assert.Equal(1, result.Code);
        Assert.Contains("--detect-anomaly names the op", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(output, "training.json")));
    }
}
