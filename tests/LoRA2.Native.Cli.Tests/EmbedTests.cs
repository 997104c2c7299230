using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

public sealed class EmbedTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void InInt8VectorsAreNearlyTheSameAndTheRunSaysWhatItComputedWith()
    {
        string model = Model();
        string texts = folder.Write("texts.txt", "My parcel never arrived.\nWhere is my refund?\n");
        CommandResult single = Lora2.Run("embed", "--model", model, "--file", texts).Done(), integer = Lora2.Run("embed", "--model", model, "--file", texts, "--precision", "int8").Done();
        Assert.StartsWith($"lora2: note: {Compute.Describe(Precision.Int8)}", integer.Error, StringComparison.Ordinal);
        foreach ((JsonElement one, JsonElement other) in single.JsonLines.Zip(integer.JsonLines))
        {
            float[] a = [.. one.GetProperty("vector").EnumerateArray().Select(value => value.GetSingle())], b = [.. other.GetProperty("vector").EnumerateArray().Select(value => value.GetSingle())];
            Assert.NotEqual(a, b);
            Assert.InRange(a.Zip(b, (x, y) => x * y).Sum(), 0.99f, 1.0001f);
        }
    }

    [Fact]
    public void EveryFormatHasTheSameVectors()
    {
        string model = Model();
        string texts = folder.Write("texts.txt", "My parcel never arrived.\n\nWhere is my refund?\n");
        CommandResult lines = Lora2.Run("embed", "--model", model, "--file", texts).Done();
        Assert.Empty(lines.Error);
        float[][] expected = [.. lines.JsonLines.Select(line => line.GetProperty("vector").EnumerateArray().Select(value => value.GetSingle()).ToArray())];
        int[] tokens = [.. lines.JsonLines.Select(line => line.GetProperty("tokens").GetInt32())];
        Assert.Equal((3, 8, 2), (expected.Length, expected[0].Length, tokens[1]));
        Assert.All(expected, row => Assert.Equal(1, row.Sum(value => value * value), 1e-5f));

        string Output(string name, params string[] more)
        {
            Lora2.RunWith(File.ReadAllText(texts), ["embed", "--model", model, "--output", folder.File(name), .. more]).Done();
            return folder.File(name);
        }

        Assert.Equal(lines.Output, File.ReadAllText(Output("a.jsonl")));
        byte[] npy = File.ReadAllBytes(Output("a.npy"));
        Assert.Equal("NUMPY", Encoding.ASCII.GetString(npy, 1, 5));
        Assert.Equal("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 8), }", Encoding.ASCII.GetString(npy, 10, BitConverter.ToUInt16(npy, 8)).TrimEnd());
        Assert.Equal(0, (10 + BitConverter.ToUInt16(npy, 8)) % 64);
        Assert.Equal(expected.SelectMany(row => row), MemoryMarshal.Cast<byte, float>(npy.AsSpan(10 + BitConverter.ToUInt16(npy, 8))).ToArray());
        using SafetensorsFile file = SafetensorsFile.Open(Output("a.safetensors"));
        float[] vectors = new float[24];
        file.ReadFloat32(file.GetEntry("vectors"), vectors);
        Assert.Equal(expected.SelectMany(row => row), vectors);
        int[] counts = new int[3];
        file.ReadInt32(file.GetEntry("tokens"), counts);
        Assert.Equal(tokens, counts);

        CommandResult cut = Lora2.RunWith("\"Where is my refund?\"\n", "embed", "--model", model, "--json-lines", "--max-length", "4", "--dimensions", "3", "--normalise", "false", "--pooling", "cls").Done();
        Assert.Equal(3, cut.Json.GetProperty("vector").GetArrayLength());
        Assert.True(cut.Json.GetProperty("cut").GetBoolean());
        Assert.Contains("1 text was longer than 4 tokens and cut there", cut.Error, StringComparison.Ordinal);
        Assert.Empty(File.ReadAllBytes(folder.Write("none.txt", "")));
        Assert.Empty(Lora2.Run("embed", "--model", model, "--file", folder.File("none.txt")).Done().Output);
    }

    [Fact]
    public void PromptsAreTheFolders()
    {
        string model = Model();
        string Of(string text, params string[] more) => Lora2.RunWith(text + "\n", ["embed", "--model", model, .. more]).Done().Output;
        Assert.Equal(Of("ask: refund?"), Of("refund?", "--prompt-name", "query"));
        Assert.Equal(Of("ask: refund?"), Of("refund?", "--prompt", "ask: "));
        Assert.Contains("there is no prompt \"passage\"; there are query", Lora2.RunWith("a\n", "embed", "--model", model, "--prompt-name", "passage").Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--output 'vectors.csv' has an ending that is not known; .jsonl, .npy, .safetensors can be", "--output", "vectors.csv")]
    [InlineData("/nowhere/texts.txt: no such file", "--file", "/nowhere/texts.txt")]
    [InlineData("give one", "--prompt", "a", "--prompt-name", "b")]
    [InlineData("option --pooling is 'median'; mean, cls, max, mean_sqrt_len_tokens, weightedmean, lasttoken can be", "--pooling", "median")]
    [InlineData("vectors of 9 dimensions were asked for; 1 to 8 can be", "--dimensions", "9")]
    public void IsRefusedInOneSentence(string sentence, params string[] args)
    {
        Assert.Contains(sentence, Lora2.RunWith("a\n", ["embed", "--model", Model(), .. args]).Refused(), StringComparison.Ordinal);
        Assert.False(File.Exists("vectors.csv"));
    }

    [Fact]
    public void ABadFolderIsRefusedInOneSentence()
    {
        string model = Model();
        File.WriteAllText(Path.Combine(model, "modules.json"), """[{"path": "../..", "type": "sentence_transformers.models.Transformer"}]""");
        Assert.Contains("which is outside the folder", Lora2.RunWith("a\n", "embed", "--model", model).Refused(), StringComparison.Ordinal);
    }

    private string Model()
    {
        string model = TinyModel.Write(folder);
        Directory.CreateDirectory(Path.Combine(model, "1_Pooling"));
        File.WriteAllText(Path.Combine(model, "modules.json"), """
            [{"path": "", "type": "sentence_transformers.models.Transformer"}, {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}, {"path": "", "type": "sentence_transformers.models.Normalize"}]
            """);
        File.WriteAllText(Path.Combine(model, "1_Pooling", "config.json"), """{"word_embedding_dimension": 8, "pooling_mode_mean_tokens": true}""");
        File.WriteAllText(Path.Combine(model, "config_sentence_transformers.json"), """{"prompts": {"query": "ask: "}}""");
        return model;
    }
}
