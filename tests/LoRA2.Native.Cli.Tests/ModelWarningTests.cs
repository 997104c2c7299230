using System.Text.Json.Nodes;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

/// <summary>What is to be known of a model's files is said by every command that loads them, once.</summary>
public sealed class ModelWarningTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AFieldThatNobodyKnowsIsSaidByEveryCommandOnce()
    {
        string model = TinyModel.Write(folder), adapter = folder.File("adapter"), config = Path.Combine(model, "config.json"), texts = folder.Write("texts.txt", string.Concat(Enumerable.Range(0, 40).Select(i => $"line {i}\n")));
        (_, string development) = TinyModel.WriteData(folder);
        JsonObject json = JsonNode.Parse(File.ReadAllText(config))!.AsObject();
        json["flux_capacitor"] = 88;
        File.WriteAllText(config, json.ToJsonString());
        string expected = $"lora2: warning: {config}: ignored, as nobody here knows what it means: flux_capacitor\n";
        string[][] commands =
        [
            TinyModel.Finetune(folder, adapter, "--max-steps", "6"),
            ["predict", "--model", model, "--adapter", adapter, "--text", "hello"],
            ["evaluate", "--model", model, "--adapter", adapter, "--file", development],
            ["merge", "--model", model, "--adapter", adapter, "--output", folder.File("merged")],
            ["export", "--model", model, "--adapter", adapter, "--output", folder.File("plain")],
            ["embed", "--model", model, "--pooling", "mean", "--file", texts, "--output", folder.File("vectors.jsonl")],
            ["pretrain", "--model", model, "--text", texts, "--output", folder.File("drawn"), "--method", "full", "--from-scratch", "--max-steps", "1"],
        ];
        foreach (string[] command in commands)
        {
            string error = Lora2.Run(command).Done().Error;
            Assert.Equal((command[0], 1), (command[0], error.Split("flux_capacitor").Length - 1));
            if (command[0] != "pretrain") Assert.Contains(expected, error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AVocabularyThatIsTooShortIsSaid()
    {
        string model = TinyModel.Write(folder), config = Path.Combine(model, "config.json");
        (_, string development) = TinyModel.WriteData(folder);
        JsonObject json = JsonNode.Parse(File.ReadAllText(config))!.AsObject();
        json["vocab_size"] = 16_200;
        File.WriteAllText(config, json.ToJsonString());
        using (Encoders.SequenceClassifier made = Encoders.SequenceClassifier.Create(Encoders.EncoderConfigReader.FromFolder(model), 7)) Encoders.ModelFolder.Save(made, model, model);
        foreach (string[] command in (string[][])[TinyModel.Finetune(folder, folder.File("adapter"), "--max-steps", "6"), ["predict", "--model", model, "--adapter", folder.File("adapter"), "--text", "hello"], ["evaluate", "--model", model, "--adapter", folder.File("adapter"), "--file", development]])
            Assert.Contains("spm.model: has 8,001 tokens; the model's embedding has 16,200 rows, more than padding explains", Lora2.Run(command).Done().Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AClassThatMayBeAMissingLabelIsSaid()
    {
        TinyModel.Write(folder);
        (string train, string development) = TinyModel.WriteData(folder);
        string[] args = TinyModel.Finetune(folder, folder.File("adapter"), "--max-steps", "6");
        File.WriteAllText(train, File.ReadAllText(train).Replace("\tbilling\n", "\tNone\n", StringComparison.Ordinal).Replace("billing\t", "None\t", StringComparison.Ordinal));
        File.WriteAllText(development, File.ReadAllText(development).Replace("\tbilling\n", "\tNone\n", StringComparison.Ordinal).Replace("billing\t", "None\t", StringComparison.Ordinal));
        string output = Lora2.Run(args).Done().Output;
        Assert.Contains($"note         {train}, line ", output, StringComparison.Ordinal);
        Assert.Contains(": label \"None\", in ", output, StringComparison.Ordinal);
        File.WriteAllText(train, File.ReadAllText(train).Replace("None", "NaN", StringComparison.Ordinal));
        Assert.Contains(": the label is missing (\"NaN\" found)", Lora2.Run([.. args, "--overwrite"]).Refused(), StringComparison.Ordinal);
    }
}
