using System.Text.Json.Nodes;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Tests.Encoders;

/// <summary>A vocabulary that is too short for the model, and special tokens that are others, are named wherever a model is loaded with its tokenizer.</summary>
public sealed class VocabularyDoubtsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static readonly string[] Special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(300, 300, false)]
    [InlineData(300, 200, true)] // A file that was cut.
    [InlineData(301, 300, true)]
    [InlineData(304, 300, false)] // To a multiple of 8.
    [InlineData(304, 260, true)]
    [InlineData(1000, 999, false)]
    [InlineData(1001, 960, true)]
    [InlineData(128, 30, true)] // To a multiple of 128, and most of it.
    [InlineData(1024, 1000, false)]
    public void TokensThatPaddingDoesNotExplainAreCounted(int rows, int tokens, bool isSaid)
    {
        Write(rows, tokens);
        string expected = $"{folder.File("vocab.txt")}: has {tokens:N0} tokens; the model's embedding has {rows:N0} rows, more than padding explains, so that the file may be cut or another model's, and words unknown";
        Assert.Equal(isSaid ? [expected] : [], Warnings());
    }

    /// <summary>As they are published: rows, tokens.</summary>
    [Theory]
    [InlineData(128100, 128001)] // deberta-v3
    [InlineData(251000, 250102)] // mdeberta-v3
    [InlineData(50368, 50280)] // ModernBERT
    [InlineData(250037, 250002)] // multilingual-e5-base
    [InlineData(30522, 30522)]
    public void WhatIsPublishedIsNothingToSay(int rows, int tokens)
    {
        Write(300, 300);
        Tokenizer tokenizer = Words(tokens);
        Assert.Equal(tokens, tokenizer.VocabularySize);
        Assert.Empty(VocabularyDoubts.Of(tokenizer, new Native.Encoders.Families.BertConfig { VocabularySize = rows }, null));
    }

    [Fact]
    public void EveryoneWhoLoadsATokenizerSaysIt()
    {
        Write(300, 200);
        string[] expected = [.. Warnings()];
        Assert.Single(expected);
        using (AdapterHost host = AdapterHost.Load(folder.Path)) Assert.Equal(expected, host.Warnings);
        using TextEmbedder embedder = TextEmbedder.Load(folder.Path);
        Assert.Contains(expected[0], embedder.Model.Warnings);
        embedder.Model.Check(embedder.Tokenizer);
        Assert.Single(embedder.Model.Warnings, warning => warning == expected[0]);
    }

    [Theory]
    [InlineData("pad_token_id", "0", null)]
    [InlineData("pad_token_id", "3", "pad_token_id is 3, which is \"[SEP]\" of vocab.txt; the tokenizer has \"[PAD]\", 0, for that, which is used")]
    [InlineData("cls_token_id", "2", null)]
    [InlineData("cls_token_id", "7", "cls_token_id is 7, which is \"w2\" of vocab.txt; the tokenizer has \"[CLS]\", 2, for that, which is used")]
    [InlineData("sep_token_id", "102", "sep_token_id is 102, which is no token of vocab.txt; the tokenizer has \"[SEP]\", 3, for that, which is used")]
    [InlineData("mask_token_id", "103", "mask_token_id is 103, which is no token of vocab.txt; the tokenizer has \"[MASK]\", 4, for that, which is used")]
    [InlineData("mask_token_id", "null", null)]
    [InlineData("bos_token_id", "77", null)] // For generation, and often left over.
    public void ASpecialTokenThatIsAnotherIsNamed(string field, string value, string? expected)
    {
        Write(100, 100, field, value);
        Assert.Equal(expected is null ? [] : [$"{folder.File("config.json")}: {expected}"], Warnings());
    }

    [Theory]
    [InlineData("[CLS]", "cls")]
    [InlineData("[SEP]", "sep")]
    [InlineData("[UNK]", "unk")]
    [InlineData("[PAD]", "pad")]
    public void ASpecialTokenThatTheVocabularyLacksIsNamed(string token, string role)
    {
        Write(300, 300);
        string path = folder.File("vocab.txt");
        File.WriteAllLines(path, [.. File.ReadLines(path).Where(line => line != token)]);
        Assert.Equal($"{path}: lacks {role}_token \"{token}\", which is put behind its tokens as 299, a row that the model has learned nothing or something else of", Warnings()[0]);
    }

    [Fact]
    public void FieldsThatNobodyKnowsAreNamed()
    {
        Write(100, 100, "rotary_base", "3");
        Assert.Equal([$"{folder.File("config.json")}: ignored, as nobody here knows what it means: rotary_base"], Warnings());
        using (AdapterHost host = AdapterHost.Load(folder.Path)) Assert.Contains("rotary_base", Assert.Single(host.Warnings), StringComparison.Ordinal);
        Write(100, 100, "num_beams", "1");
        Assert.Empty(Warnings());
        string path = folder.File("config.json");
        JsonObject json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        foreach (int i in Enumerable.Range(0, 9)) json[$"odd_{i}"] = i;
        File.WriteAllText(path, json.ToJsonString());
        Assert.EndsWith("odd_0, odd_1, odd_2, odd_3, odd_4 and 4 other fields", Assert.Single(Warnings()), StringComparison.Ordinal);
    }

    private void Write(int rows, int tokens, string? field = null, string? value = null)
    {
        JsonObject config = ConfigText.With("bert", "vocab_size", $"{rows}");
        if (field is not null) config[field] = JsonNode.Parse(value!);
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());
        File.WriteAllLines(folder.File("vocab.txt"), [.. Special, .. Enumerable.Range(0, tokens - Special.Length).Select(i => $"w{i}")]);
        File.WriteAllText(folder.File("tokenizer_config.json"), """{"tokenizer_class": "BertTokenizer", "do_lower_case": true}""");
        using SequenceClassifier made = SequenceClassifier.Create(EncoderConfigReader.FromFolder(folder.Path), 3);
        ModelFolder.Save(made, folder.Path, folder.Path);
    }

    private Tokenizer Words(int tokens)
    {
        File.WriteAllLines(folder.File("vocab.txt"), [.. Special, .. Enumerable.Range(0, tokens - Special.Length).Select(i => $"w{i}")]);
        return Tokenizer.FromFolder(folder.Path);
    }

    private IReadOnlyList<string> Warnings()
    {
        using TextClassifier classifier = TextClassifier.Load(folder.Path);
        return classifier.Model.Warnings;
    }
}
