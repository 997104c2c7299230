using System.Text.Json;
using LoRA2.Native.Adapters;
using LoRA2.Native.Cli.Finetuning;
using LoRA2.Native.Cli.Tests;
using LoRA2.Native.Data;
using LoRA2.Native.Experiments;
using LoRA2.Native.Experiments.Comparison;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

/// <summary>Every method through the command line.</summary>
public sealed class MethodTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public static TheoryData<string> Names => [.. AdapterMethods.All.Select(method => method.Name)];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void ItTrainsEvaluatesAndIsExported(string name)
    {
        AdapterMethod method = AdapterMethods.Named(name);
        string output = folder.File("out");
        string[] more = method.InitialRank > 0 ? ["--rank", "3"] : [];
        CommandResult trained = Lora2.Run(Finetune(output, ["--method", name, "--max-steps", "4", .. more])).Done();
        Assert.Contains(method.Title, trained.Output, StringComparison.Ordinal);
        JsonElement record = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "training.json"))).RootElement;
        Assert.Equal(name, record.GetProperty("method").GetString());
        foreach (MethodOption option in method.Options) Assert.True(record.GetProperty("options").TryGetProperty(option.Key, out _), option.Key);
        string[] where = method.PeftType is null ? ["--model", output] : ["--adapter", output];
        string score = Score(where);
        if (method.PeftType is null) return;

        JsonElement inspected = Lora2.Run("inspect", output, "--json").Done().Json;
        Assert.Equal(name, inspected.GetProperty("method").GetString());
        Assert.Equal(record.GetProperty("parameters").GetProperty("head").GetInt64(), inspected.GetProperty("parameters").GetInt64() - AdapterElements(inspected));
        CommandResult export = Lora2.Run("export", "--adapter", output, "--output", folder.File("plain"));
        if (name is "dora" or "bitfit")
        {
            Assert.Contains("can't be a plain LoRA", export.Refused(), StringComparison.Ordinal);
            return;
        }

        Assert.Contains("from " + method.Title, export.Done().Output, StringComparison.Ordinal);
        Assert.Equal(score, Score(["--adapter", folder.File("plain")]));
        Assert.Equal("lora", Lora2.Run("inspect", folder.File("plain"), "--json").Done().Json.GetProperty("method").GetString());
    }

    [Theory]
    [InlineData("adalora")]
    [InlineData("sora")]
    public void AKilledRunOfAPrunedMethodResumesToTheSameBits(string name)
    {
        string[] options = ["--method", name, "--rank", "3", "--max-steps", "12", "--checkpoint-every", "1", .. name == "adalora" ? (string[])["--target-rank", "1"] : ["--gate-threshold", "0.05"]];
        Lora2.Run(Finetune(folder.File("whole"), options)).Done();
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Equal(130, Lora2.Run([], cancelled.Token, Finetune(folder.File("parts"), options)).Code);
        Lora2.Run(Finetune(folder.File("parts"), [.. options, "--resume"])).Done();
        Assert.Equal(TinyModel.Weights(folder.File("whole")), TinyModel.Weights(folder.File("parts")));
    }

    [Fact]
    public void AnUnknownFieldOfAnAdapterIsAWarning()
    {
        string output = folder.File("out");
        Lora2.Run(Finetune(output, "--method", "lora", "--rank", "2", "--max-steps", "1")).Done();
        string config = Path.Combine(output, "adapter_config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("{", "{ \"flux_capacitor\": 88,", StringComparison.Ordinal));
        Assert.Contains("warning: unknown in adapter_config.json, ignored: flux_capacitor", Lora2.Run("predict", "--adapter", output, "--text", "hello").Done().Error, StringComparison.Ordinal);
    }

    /// <summary>A pattern that fits nothing, and a task that is another: said by all who load an adapter, refused by those who were asked to.</summary>
    [Fact]
    public void WhatNothingComesOfInAnAdapterIsAWarningAndRefusedWhereAsked()
    {
        string output = folder.File("out"), config = Path.Combine(output, "adapter_config.json");
        Lora2.Run(Finetune(output, "--method", "lora", "--rank", "2", "--max-steps", "1")).Done();
        string said = File.ReadAllText(config);
        File.WriteAllText(config, said.Replace("{", "{ \"rank_pattern\": {\"nowhere\": 2},", StringComparison.Ordinal));
        string sentence = $"{config}: rank_pattern has \"nowhere\", which fits no layer that the adapter is on";
        Assert.Contains($"lora2: warning: {sentence}\n", Lora2.Run("predict", "--adapter", output, "--text", "hello").Done().Error, StringComparison.Ordinal);
        Assert.Contains($"lora2: warning: {sentence}\n", Lora2.Run("export", "--adapter", output, "--output", folder.File("plain")).Done().Error, StringComparison.Ordinal);
        Assert.Contains($"lora2: warning: {sentence}\n", Lora2.Run(Finetune(folder.File("more"), "--from", output, "--max-steps", "1")).Done().Error, StringComparison.Ordinal);
        Assert.Contains(sentence, Lora2.Run("predict", "--adapter", output, "--text", "hello", "--strict").Refused(), StringComparison.Ordinal);
        File.WriteAllText(config, said.Replace("SEQ_CLS", "TOKEN_CLS", StringComparison.Ordinal));
        Assert.Contains("task_type is \"TOKEN_CLS\"; task.json beside it says classification (SEQ_CLS), and is followed", Lora2.Run("merge", "--adapter", output, "--output", folder.File("merged"), "--strict").Refused(), StringComparison.Ordinal);
    }

    /// <summary>SoRA's dense schedule: on with a higher threshold, a model at each.</summary>
    [Fact]
    public void TrainingGoesOnFromAnAdapter()
    {
        (string first, string second, string same) = (folder.File("first"), folder.File("second"), folder.File("same"));
        Lora2.Run(Finetune(first, "--method", "sora", "--rank", "4", "--max-steps", "6", "--gate-threshold", "0.01", "--targets", "query,output", "--head", "classifier")).Done();
        Lora2.Run(Finetune(second, "--from", first, "--max-steps", "6", "--gate-threshold", "0.2")).Done();
        JsonElement Ranks(string adapter) => Lora2.Run("inspect", adapter, "--json").Done().Json.GetProperty("effective_ranks");
        int Sum(string adapter) => Ranks(adapter).EnumerateObject().Sum(module => module.Value.GetInt32());
        Assert.Equal(Ranks(first).EnumerateObject().Select(module => module.Name), Ranks(second).EnumerateObject().Select(module => module.Name));
        Assert.InRange(Sum(second), 0, Sum(first) - 1);
        Assert.Equal(first, JsonDocument.Parse(File.ReadAllText(Path.Combine(second, "training.json"))).RootElement.GetProperty("from").GetString());

        // At a rate of 0 nothing changes but what the threshold takes.
        Lora2.Run([.. Finetune(same, "--from", first, "--max-steps", "1", "--gate-threshold", "0").Where(arg => arg is not ("--learning-rate" or "0.01")), "--learning-rate", "0"]).Done();
        Assert.Equal(TinyModel.Weights(first), TinyModel.Weights(same));
        Assert.Contains("--rank is what the adapter of --from says", Lora2.Run(Finetune(folder.File("x"), "--from", first, "--rank", "2")).Refused(), StringComparison.Ordinal);
        Assert.Contains("--method is lora; the adapter of --from is sora", Lora2.Run(Finetune(folder.File("x"), "--from", first, "--method", "lora")).Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void EveryTaskHasPresetsWhoseOptionsExist()
    {
        var options = new FinetuneOptions();
        foreach (GlueTask task in GlueTask.All)
        {
            foreach (string method in (string[])["adalora", "lora2", "sora"])
            {
                foreach (RunOption option in GluePreset.Of(task.Name, method)) Assert.Contains(options.All, known => known.Name == "--" + option.Name);
            }
        }
    }

    /// <summary>Neither AdaLoRA's nor LoRA2's authors start orthonormal, or move the singular values faster than the rest, as the defaults do.</summary>
    [Fact]
    public void APresetHasTheAuthorsStartWhateverTheDefaultsAre()
    {
        RunOption[] start = [new("init", "gaussian"), new("singular-value-rate", "1")];
        foreach (GlueTask task in GlueTask.All)
        {
            Assert.Equal(start, GluePreset.Of(task.Name, "adalora").Intersect(start));
            Assert.Equal([.. start, new RunOption("init-std", "0.02")], GluePreset.Of(task.Name, "lora2").Intersect([.. start, new RunOption("init-std", "0.02")]));
        }
    }

    [Fact]
    public void APresetIsPrintedAndWhatIsGivenPrecedesIt()
    {
        string glue = folder.File("glue");
        Directory.CreateDirectory(glue);
        string rows = "sentence\tlabel\n" + string.Concat(Enumerable.Range(0, 12).Select(i => $"a sentence {i}\t{i % 2}\n"));
        foreach (string split in (string[])["train", "dev"]) File.WriteAllText(Path.Combine(glue, split + ".tsv"), rows);
        string output = folder.File("out");
        CommandResult result = Lora2.Run(
            "finetune", "--preset", "--task", "SST-2", "--data", glue, "--model", TinyModel.Write(folder), "--output", output, "--method", "sora", "--epochs", "1", "--rank", "2").Done();
        Assert.Contains("preset       --learning-rate 8e-4 --batch-size 8 --max-length 128", result.Output, StringComparison.Ordinal);
        Assert.Contains("rank 2", result.Output, StringComparison.Ordinal);
        Assert.Contains("2 steps of 8, learning rate 0.0008", result.Output, StringComparison.Ordinal);
    }

    private string Score(string[] where) => Lora2.Run(["evaluate", .. where, "--file", folder.File("dev.tsv"), "--json"]).Done().Json.GetProperty("metrics").GetRawText();

    private static long AdapterElements(JsonElement inspected) =>
        inspected.TryGetProperty("adapter_parameters", out JsonElement adapter)
            ? adapter.GetInt64()
            : inspected.GetProperty("tensors").EnumerateArray().Where(tensor => !tensor.GetProperty("name").GetString()!.Contains("classifier.", StringComparison.Ordinal) && !tensor.GetProperty("name").GetString()!.Contains("pooler.", StringComparison.Ordinal)).Sum(tensor => tensor.GetProperty("parameters").GetInt64());

    private string[] Finetune(string output, params string[] more)
    {
        string model = folder.File("model");
        if (!Directory.Exists(model)) TinyModel.Write(folder);
        (string train, string development) = TinyModel.WriteData(folder);
        return ["finetune", "--model", model, "--train", train, "--dev", development, "--output", output, "--batch-size", "8", "--learning-rate", "0.01", .. more];
    }
}
