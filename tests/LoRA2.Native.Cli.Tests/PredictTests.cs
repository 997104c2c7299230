using System.Diagnostics;
using System.Text.Json;
using LoRA2.Native.Cli.Tests;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

public sealed class PredictTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string adapter;

    public PredictTests()
    {
        adapter = folder.File("adapter");
        Lora2.Run(TinyModel.Finetune(folder, adapter)).Done();
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ATextIsAnsweredAlikeAloneInABatchAndAsJson()
    {
        JsonElement[] together = Lora2.RunWith("first text\nsecond, somewhat longer text\n\n", "predict", "--adapter", adapter).Done().JsonLines;
        Assert.Equal(3, together.Length);
        JsonElement alone = Assert.Single(Lora2.Run("predict", "--adapter", adapter, "--text", "first text").Done().JsonLines);
        JsonElement[] json = Lora2.RunWith("\"first text\"\n{\"text\": \"second, somewhat longer text\", \"id\": [1]}\n", "predict", "--adapter", adapter, "--json-lines").Done().JsonLines;
        RequireClose(together[0], alone);
        RequireClose(together[0], json[0]);
        RequireClose(together[1], json[1]);
        JsonElement best = together[0];
        Assert.Equal(best.GetProperty("score").GetDouble(), best.GetProperty("probabilities").GetProperty(best.GetProperty("label").GetString()!).GetDouble());
    }

    [Theory]
    [InlineData("regression", "--task is regression, and this model's is classification; leave out --task, or give a model that was trained for regression")]
    [InlineData("tokens", "--task is tokens, and this model's is classification; leave out --task, or give a model that was trained for tokens")]
    public void ATaskThatIsNotTheModelsIsRefused(string task, string sentence)
    {
        (_, string development) = TinyModel.WriteData(folder);
        Assert.Contains(sentence, Lora2.Run("predict", "--adapter", adapter, "--text", "a", "--task", task).Refused(), StringComparison.Ordinal);
        Assert.Contains(sentence, Lora2.Run("evaluate", "--adapter", adapter, "--file", development, "--task", task).Refused(), StringComparison.Ordinal);
        Lora2.Run("predict", "--adapter", adapter, "--text", "a", "--task", "classification").Done();
    }

    [Fact]
    public void AnAdapterBesideARunThatHasNotEndedIsSaidToBeAnEarlierOne()
    {
        Assert.DoesNotContain("has not ended", Lora2.Run("predict", "--adapter", adapter, "--text", "a").Done().Error, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(adapter, ".unfinished"), "");
        Assert.Contains($"lora2: warning: {adapter}: a run was begun here and has not ended; the adapter may be an earlier run's", Lora2.Run("predict", "--adapter", adapter, "--text", "a").Done().Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"text\": 3}", "line 2: a value of kind Number was found; a string as \"text\" was expected")]
    [InlineData("{\"txt\": \"a\"}", "line 2: \"text\" is missing")]
    [InlineData("{\"text\": \"a\", \"sentence2\": \"b\"}", "line 2: field \"sentence2\" was found; a JSON string or an object with \"text\" and perhaps \"text_pair\" was expected")]
    [InlineData("{\"text\": \"a\"", "line 2: is not valid JSON")]
    [InlineData("{\"text\": \"good \\ud800 film\"}", "line 2: a string is not valid Unicode, expected JSON in UTF-8")]
    [InlineData("\"\\udc00\"", "line 2: a string is not valid Unicode, expected JSON in UTF-8")]
    [InlineData("{\"text\": \"a\", \"\\ud83d\": 1}", "line 2: a string is not valid Unicode, expected JSON in UTF-8")]
    [InlineData("{\"id\": \"\\ud83d\", \"text\": \"a\"}", "line 2: a string is not valid Unicode, expected JSON in UTF-8")]
    [InlineData("{\"text\": \"a\", \"te\\u0078t\": \"b\"}", "line 2: field \"text\" appears twice, expected once")]
    [InlineData("{\"text\": \"a\", \"id\": 1, \"id\": 2}", "line 2: field \"id\" appears twice, expected once")]
    public void ABadLineIsNamedAfterTheAnswersBeforeIt(string line, string sentence)
    {
        CommandResult result = Lora2.RunWith($"\"fine\"\n{line}\n", "predict", "--adapter", adapter, "--json-lines");
        Assert.Equal(2, result.Code);
        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
        Assert.Single(result.JsonLines);
    }

    [Fact]
    public void PairsCanBeGivenBothWays()
    {
        JsonElement line = Assert.Single(Lora2.RunWith("{\"text\": \"a b\", \"text_pair\": \"c d\"}", "predict", "--adapter", adapter, "--json-lines").Done().JsonLines);
        JsonElement option = Assert.Single(Lora2.Run("predict", "--adapter", adapter, "--text", "a b", "--text-pair", "c d").Done().JsonLines);
        RequireClose(line, option);
    }

    [Fact]
    public void WithoutOptionsTheAdapterOfTheLastRunAnswers()
    {
        Directory.Move(adapter, folder.File("lora2-out"));
        using Process process = Lora2.Start(folder.Path, "predict");
        process.StandardInput.WriteLine("Where is my parcel?");
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        Assert.Equal("", process.StandardError.ReadToEnd());
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        Assert.NotEqual("", JsonDocument.Parse(output).RootElement.GetProperty("label").GetString());
    }

    [Fact]
    public void AMergedModelPredictsAsItsAdapterDid()
    {
        string merged = folder.File("merged");
        Lora2.Run("merge", "--adapter", adapter, "--output", merged).Done();
        const string Texts = "My parcel is late.\nI want my money back, all of it.\nThanks!\n";
        JsonElement[] before = Lora2.RunWith(Texts, "predict", "--adapter", adapter).Done().JsonLines;
        JsonElement[] after = Lora2.RunWith(Texts, "predict", "--model", merged).Done().JsonLines;
        Assert.All(before.Zip(after), pair => RequireClose(pair.First, pair.Second));
        string file = folder.File("dev.tsv");
        string Score(params string[] where) => Lora2.Run(["evaluate", "--file", file, "--json", .. where]).Done().Json.GetProperty("metrics").GetRawText();
        Assert.Equal(Score("--adapter", adapter), Score("--model", merged));
        Assert.Contains("there is a result already", Lora2.Run("merge", "--adapter", adapter, "--output", merged).Refused(), StringComparison.Ordinal);
        Assert.Contains("is a folder that is read from", Lora2.Run("merge", "--adapter", adapter, "--output", adapter, "--overwrite").Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("float16", "F16")]
    [InlineData("bfloat16", "BF16")]
    public void AModelCanBeMergedToHalfTheSize(string dtype, string stored)
    {
        string merged = folder.File("merged");
        Lora2.Run("merge", "--adapter", adapter, "--output", merged, "--dtype", dtype).Done();
        JsonElement found = Lora2.Run("inspect", merged, "--json").Done().Json;
        Assert.Equal("model", found.GetProperty("kind").GetString());
        Assert.All(found.GetProperty("tensors").EnumerateArray(), tensor => Assert.Equal(stored, tensor.GetProperty("dtype").GetString()));
        Assert.Equal(2 * found.GetProperty("parameters").GetInt64(), found.GetProperty("bytes").GetInt64());
    }

    [Fact]
    public void AnAdapterIsInspectedWithItsRanks()
    {
        CommandResult text = Lora2.Run("inspect", adapter).Done();
        Assert.Contains("LoRA2 rank 4, alpha 16, outer-rank 2", text.Output, StringComparison.Ordinal);
        Assert.Contains("ranks in use", text.Output, StringComparison.Ordinal);
        JsonElement json = Lora2.Run("inspect", Path.Combine(adapter, "adapter_model.safetensors"), "--json").Done().Json;
        Assert.Equal("file", json.GetProperty("kind").GetString());
        Assert.Equal(
            json.GetProperty("parameters").GetInt64(), json.GetProperty("adapter_parameters").GetInt64() + json.GetProperty("head_parameters").GetInt64());
    }

    private static void RequireClose(JsonElement one, JsonElement other)
    {
        Assert.Equal(one.GetProperty("label").GetString(), other.GetProperty("label").GetString());
        foreach (JsonProperty probability in one.GetProperty("probabilities").EnumerateObject())
            Assert.Equal(probability.Value.GetDouble(), other.GetProperty("probabilities").GetProperty(probability.Name).GetDouble(), 1e-5);
    }
}
