using LoRA2.Native.Embeddings;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Tests.Inference;

/// <summary>A length that special tokens fill answers every text as if it were empty: it is refused, wherever it is said.</summary>
public sealed class NoPlaceForTextTests
{
    private const string Why = "and an input has 2 special ones beside its text; at least 3 was expected";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void OfAnAdaptersTask(int length)
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("short", maxLength: length);
        string expected = $"max_length of task.json is {length} tokens, {Why}";
        Assert.Equal(expected, Assert.Throws<InputException>(() => TextClassifier.Load(folders.Base, adapter)).Message);
        using AdapterHost host = AdapterHost.Load(folders.Base);
        Assert.Equal(expected, Assert.Throws<InputException>(() => host.Put("short", adapter)).Message);
        Assert.Equal($"the longest input is {length} tokens, {Why}", Assert.Throws<InputException>(() => TextClassifier.Load(folders.Base, maxLength: length)).Message);
    }

    [Fact]
    public void OfATokenizer()
    {
        using var folders = new HostedFolders();
        File.WriteAllText(Path.Combine(folders.Base, "tokenizer_config.json"), """{"tokenizer_class": "BertTokenizer", "model_max_length": 2}""");
        Assert.Equal($"model_max_length of tokenizer_config.json is 2 tokens, {Why}", Assert.Throws<InputException>(() => TextClassifier.Load(folders.Base)).Message);
    }

    [Fact]
    public void OfASentenceModel()
    {
        using var folders = new HostedFolders();
        string model = folders.SaveAsSentences(isBelow: false, new EmbeddingSettings { MaxLength = 2 });
        Assert.Equal($"max_seq_length of sentence_bert_config.json is 2 tokens, {Why}", Assert.Throws<InputException>(() => TextEmbedder.Load(model)).Message);
    }

    [Fact]
    public void OneTokenIsEnough()
    {
        using var folders = new HostedFolders();
        using TextClassifier shortest = TextClassifier.Load(folders.Base, folders.Adapter("short", maxLength: 3)), whole = TextClassifier.Load(folders.Base, folders.Adapter("long"));
        Assert.True(shortest.Predict("good film").IsCut);
        Assert.False(whole.Predict("good film").IsCut);
    }
}
