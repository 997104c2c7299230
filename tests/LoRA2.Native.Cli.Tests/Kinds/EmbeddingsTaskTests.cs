using System.Text.Json;
using LoRA2.Native.Inference;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests.Kinds;

/// <summary>Vectors are trained from files of pairs, triplets and scored pairs, and what is saved is a sentence-transformers folder.</summary>
public sealed class EmbeddingsTaskTests : IDisposable
{
    private const string Scored = "sentence1\tsentence2\tscore\nA parcel is late.\tMy parcel is late.\t4.5\nRefund me.\tGive my money back.\t4\nThe app crashes.\tWhere is my parcel?\t0.5\nI was charged twice.\tMy card was charged two times.\t5\n";
    private const string Triplets = "{\"anchor\": \"Where is my parcel?\", \"positive\": \"My parcel is late.\", \"negative\": \"The app crashes.\"}\n{\"anchor\": \"Refund me.\", \"positive\": \"Give my money back.\", \"negative\": \"Cancel it.\"}\n";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("lora", "scored.tsv", "cosent", "spearman")]
    [InlineData("lora2", "scored.tsv", "cosine", "spearman", "--score-scale", "5")]
    [InlineData("adalora", "triplets.jsonl", "triplet", "mrr_10")]
    [InlineData("lora", "triplets.jsonl", "ranking", "mrr_10", "--matryoshka", "8,4")]
    [InlineData("bitfit", "pairs.csv", "symmetric-ranking", "mrr_10")]
    [InlineData("full", "pairs.csv", "ranking", "mrr_10", "--pooling", "cls")]
    public void ARunEndsInAFolderThatMakesTheVectorsItWasScoredBy(string method, string file, string loss, string metric, params string[] more)
    {
        (string model, string data, string output) = (TinyModel.Write(folder), Data(file), folder.File("out"));
        Lora2.Run(["finetune", "--task", "embeddings", "--model", model, "--train", data, "--dev", data, "--method", method, "--loss", loss, "--epochs", "3", "--batch-size", "2", "--normalise", "true", "--max-length", "16", "--output", output, .. more]).Done();
        string[] where = method == "full" ? ["--model", output] : ["--model", model, "--adapter", output];
        JsonElement scores = Lora2.Run(["evaluate", .. where, "--file", data, "--json"]).Done().Json;
        using JsonDocument record = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(output, "training.json")));
        Assert.True(scores.GetProperty("metrics").TryGetProperty(metric, out JsonElement found));
        Assert.Contains(found.GetDouble().ToString("F4"), Lora2.Run(["evaluate", .. where, "--file", data]).Done().Output, StringComparison.Ordinal);
        Assert.Equal(16, scores.GetProperty("max_length").GetInt32());

        using TextEmbedder embedder = method == "full" ? TextEmbedder.Load(output) : TextEmbedder.Load(model, output);
        Assert.True(embedder.Settings.Normalises);
        Assert.Equal(16, embedder.MaxLength);
        float[] vector = embedder.Embed("Where is my parcel?").Values;
        Assert.Equal(1, vector.Sum(value => value * value), 1e-5f);
        if (method == "full") return;

        using (SafetensorsFile adapter = SafetensorsFile.Open(Path.Combine(output, "adapter_model.safetensors")))
            Assert.All(adapter.Entries, entry => Assert.DoesNotContain("deberta.", entry.Name, StringComparison.Ordinal));
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(output, "adapter_config.json")));
        Assert.Equal("FEATURE_EXTRACTION", config.RootElement.GetProperty("task_type").GetString());

        Lora2.Run("merge", "--model", model, "--adapter", output, "--output", folder.File("merged")).Done();
        using TextEmbedder merged = TextEmbedder.Load(folder.File("merged"));
        Assert.Equal((16, true), (merged.MaxLength, merged.Settings.Normalises));
        foreach ((float one, float other) in vector.Zip(merged.Embed("Where is my parcel?").Values)) Assert.Equal(one, other, 1e-5f);
        using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(folder.File("merged"), "model.safetensors"));
        Assert.Contains(weights.Entries, entry => entry.Name == "embeddings.word_embeddings.weight");
    }

    [Fact]
    public void AResumedRunWithAnotherLossIsRefused()
    {
        (string model, string data, string output) = (TinyModel.Write(folder), Data("scored.tsv"), folder.File("out"));
        string[] run = ["finetune", "--task", "embeddings", "--model", model, "--train", data, "--epochs", "1", "--batch-size", "2", "--output", output];
        Lora2.Run(run).Done();
        Lora2.Run([.. run, "--resume"]).Done();
        Assert.Equal(2, Lora2.Run([.. run, "--resume", "--loss-scale", "7"]).Code);
    }

    [Theory]
    [InlineData("a.jsonl, line 2: field \"negative\" is missing or empty, expected a text.", "a.jsonl", "{\"anchor\":\"a\",\"positive\":\"b\",\"negative\":\"c\"}\n{\"anchor\":\"a\",\"positive\":\"b\"}\n")]
    [InlineData("a.tsv, line 3: field \"positive\" is missing or empty", "a.tsv", "anchor\tpositive\na\tb\na\t \n")]
    [InlineData("a.tsv, line 2: score \"much\" found, expected a finite number", "a.tsv", "sentence1\tsentence2\tscore\na\tb\tmuch\n")]
    [InlineData("expected a second text column positive or answer", "a.tsv", "anchor\tother\na\tb\n")]
    [InlineData("column \"score\" is a score and column \"negative\" a negative", "a.tsv", "anchor\tpositive\tnegative\tscore\na\tb\tc\t1\n")]
    [InlineData("an example has 2 texts; the loss triplet takes 3", "a.tsv", "anchor\tpositive\na\tb\n", "--loss", "triplet")]
    [InlineData("the loss cosent needs a score for each pair", "a.tsv", "anchor\tpositive\na\tb\n", "--loss", "cosent")]
    [InlineData("the pairs have scores, for which the loss ranking has no use; cosent, cosine, contrastive, online-contrastive have", "a.tsv", "anchor\tpositive\tscore\na\tb\t1\n", "--loss", "ranking")]
    [InlineData("example 2 has the score 0.5; the loss contrastive takes 0 and 1", "a.tsv", "anchor\tpositive\tscore\na\tb\t1\na\tb\t0.5\n", "--loss", "contrastive")]
    [InlineData("example 1 has the score 3; the loss cosine compares with cosines, from -1 to 1: --score-scale divides", "a.tsv", "anchor\tpositive\tscore\na\tb\t3\n", "--loss", "cosine")]
    [InlineData("--matryoshka has 9 dimensions; the model's vectors have 8", "a.tsv", "anchor\tpositive\na\tb\n", "--matryoshka", "9,4")]
    [InlineData("option --matryoshka is '0,4'; whole numbers", "a.tsv", "anchor\tpositive\na\tb\n", "--matryoshka", "0,4")]
    [InlineData("option --loss is 'hinge'; ranking, symmetric-ranking, cosent", "a.tsv", "anchor\tpositive\na\tb\n", "--loss", "hinge")]
    public void BadDataAreRefusedInOneSentence(string sentence, string name, string text, params string[] more)
    {
        string model = TinyModel.Write(folder), output = folder.File("out");
        Assert.Contains(sentence, Lora2.Run(["finetune", "--task", "embeddings", "--model", model, "--train", folder.Write(name, text), "--output", output, .. more]).Refused(), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(output, "adapter_config.json")));
    }

    [Fact]
    public void APredictionIsRefusedByAModelThatMakesVectors()
    {
        (string model, string output) = (TinyModel.Write(folder), folder.File("out"));
        Lora2.Run("finetune", "--task", "embeddings", "--model", model, "--train", Data("pairs.csv"), "--epochs", "1", "--output", output).Done();
        Assert.Contains("lora2 embed writes the vectors", Lora2.Run("predict", "--model", model, "--adapter", output, "--text", "a").Refused(), StringComparison.Ordinal);
    }

    private string Data(string name) => folder.Write(name, name switch
    {
        "scored.tsv" => Scored,
        "triplets.jsonl" => Triplets,
        _ => "query,answer\nWhere is my parcel?,It is on its way.\nRefund me.,The money is sent.\nCancel it.,It is cancelled.\n",
    });
}
