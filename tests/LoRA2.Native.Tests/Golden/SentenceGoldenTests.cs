using System.Text.Json;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Shared;
using Xunit.Abstractions;

namespace LoRA2.Native.Tests.Golden;

/// <summary>Vectors of a really pretrained encoder equal HuggingFace's. Its 90 MB are not in the project: without ../shared the test says so.</summary>
public sealed class SentenceGoldenTests(ITestOutputHelper output)
{
    private const string Model = "models/all-minilm-l6-v2";
    private const string Trace = "golden/sentence_minilm";

    [SharedDataFact(Model)]
    public void VectorsAreHuggingFaces()
    {
        using var folder = new TemporaryFolder();
        string golden = Environment.GetEnvironmentVariable("LORA2_GOLDEN") is { Length: > 0 } set && Directory.Exists(Path.Combine(set, "sentence_minilm")) ? Path.Combine(set, "sentence_minilm") : SharedData.Path(Trace);
        Compose(folder.Path, golden);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(golden, "texts.json")));
        JsonElement[] rows = [.. document.RootElement.GetProperty("texts").EnumerateArray()];
        string[] texts = [.. rows.Select(row => row.GetProperty("text").GetString()!)];
        int limit = document.RootElement.GetProperty("max_seq_length").GetInt32();
        using var expected = new TraceFile(Path.Combine(golden, "embeddings.safetensors"));
        var closeness = new Closeness(output, "sentence_minilm");
        int compared = 0;
        foreach ((string name, EmbedderOptions? options) in (ReadOnlySpan<(string, EmbedderOptions?)>)[
            ($"mean_{limit}_normalised", null),
            ($"mean_{limit}", new EmbedderOptions { Normalises = false }),
            ($"cls_{limit}_normalised", new EmbedderOptions { Pooling = Pooling.Cls }),
            ($"cls_{limit}", new EmbedderOptions { Pooling = Pooling.Cls, Normalises = false }),
            ("mean_512_normalised", new EmbedderOptions { MaxLength = 512 }),
            ("cls_512_normalised", new EmbedderOptions { Pooling = Pooling.Cls, MaxLength = 512 })])
        {
            if (!expected.Has(name)) continue;
            compared++;
            using TextEmbedder embedder = TextEmbedder.Load(folder.Path, options: options);
            IReadOnlyList<TextVector> found = embedder.Embed(texts);
            Assert.Equal(rows.Select(row => row.GetProperty(name.Contains("512", StringComparison.Ordinal) ? "tokens_512" : "tokens").GetInt32()), found.Select(vector => vector.Tokens));
            Assert.Equal(rows.Select(row => row.GetProperty("tokens_512").GetInt32() > limit), found.Select(vector => vector.IsCut || vector.Tokens > limit));
            closeness.Absolute("vectors", name, expected.Floats(name), found.SelectMany(vector => vector.Values).ToArray(), 1e-5);
            if (options is null) closeness.Absolute("similarities", "similarity", expected.Floats("similarity"), [.. found.SelectMany(one => found.Select(other => Dot(one, other)))], 1e-5);
        }

        Assert.True(compared >= 4);
        closeness.Report();
    }

    private static float Dot(TextVector one, TextVector other) => (float)one.Values.Zip(other.Values, (a, b) => (double)a * b).Sum();

    /// <summary>The model with sentence-transformers' files around it.</summary>
    private static void Compose(string folder, string golden)
    {
        string model = SharedData.Path(Model), files = Path.Combine(golden, "sentence_transformers");
        foreach (string file in Directory.EnumerateFiles(model)) File.CreateSymbolicLink(Path.Combine(folder, Path.GetFileName(file)), file);
        foreach (string file in Directory.EnumerateFiles(files, "*.json", SearchOption.AllDirectories))
        {
            string target = Path.Combine(folder, Path.GetRelativePath(files, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
