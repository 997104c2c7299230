using System.Text.Json;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests.Kinds;

public sealed class PretrainTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AModelIsPretrainedFromNothingEvaluatedAndFineTuned()
    {
        string model = TinyModel.Write(folder), text = folder.Write("text.txt", Text()), output = folder.File("out");
        File.Delete(Path.Combine(model, "model.safetensors"));
        JsonElement run = Lora2.Run("pretrain", "--model", model, "--text", text, "--from-scratch", "--method", "full", "--learning-rate", "2e-2", "--epochs", "12", "--batch-size", "4", "--max-length", "32", "--output", output, "--json").Done().Json;
        Assert.Equal("mlm", run.GetProperty("kind").GetString());
        double first = run.GetProperty("history")[0].GetProperty("metrics").GetProperty("perplexity").GetDouble(), best = run.GetProperty("metrics").GetProperty("perplexity").GetDouble();
        // Guessing among the text's 12 words alone has a perplexity of about 12, among the vocabulary's one of 8,000.
        Assert.True(best < first && best < 12, $"perplexity {first} after the first epoch, {best} at best");
        Assert.Contains("DebertaV2ForMaskedLM", File.ReadAllText(Path.Combine(output, "config.json")), StringComparison.Ordinal);

        JsonElement score = Lora2.Run("evaluate", "--model", output, "--file", text, "--json").Done().Json;
        Assert.True(score.GetProperty("metrics").GetProperty("perplexity").GetDouble() < 12, score.ToString());
        (string train, string development) = TinyModel.WriteData(folder);
        Lora2.Run("finetune", "--model", output, "--train", train, "--dev", development, "--max-steps", "2", "--output", folder.File("classifier")).Done();
        Assert.Contains("the model's task is mlm", Lora2.Run("predict", "--model", output, "--text", "a").Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void AnAdapterIsPretrainedTheSameWhateverTheThreadsAndTheParts()
    {
        string model = TinyModel.Write(folder), text = folder.Write("text.txt", Text());
        string[] Run(string output, params string[] more) =>
            ["pretrain", "--model", model, "--text", text, "--method", "lora", "--rank", "2", "--max-steps", "4", "--batch-size", "4", "--max-length", "24", "--dropout", "0", "--output", folder.File(output), .. more];
        Lora2.Run(Run("one", "--threads", "1")).Done();
        Lora2.Run(Run("two", "--threads", "2")).Done();
        Assert.Equal(TinyModel.Weights(folder.File("one")), TinyModel.Weights(folder.File("two")));
        Lora2.Run("evaluate", "--model", model, "--adapter", folder.File("one"), "--file", text).Done();
    }

    [Theory]
    [InlineData("--from-scratch needs --method full", "--from-scratch")]
    [InlineData("option --mask-share is '2'; a number between 0 and 1 was expected", "--mask-share", "2")]
    [InlineData("3 lines; at least 20 were expected")]
    public void WhatCannotBePretrainedIsRefused(string expected, params string[] more)
    {
        string text = folder.Write("text.txt", "a\nb\n\nc\n");
        Assert.Contains(expected, Lora2.Run(["pretrain", "--model", TinyModel.Write(folder), "--text", text, "--output", folder.File("out"), .. more]).Refused(), StringComparison.Ordinal);
    }

    private static string Text() => string.Concat(Enumerable.Range(0, 80).Select(i => $"the {((string[])["red", "blue", "green"])[i % 3]} {((string[])["box", "car"])[i % 2]} is in the {((string[])["house", "tree", "book"])[i % 3]}.\n"));
}
