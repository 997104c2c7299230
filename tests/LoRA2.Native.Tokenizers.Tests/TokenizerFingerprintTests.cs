using System.Text.Json.Nodes;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tokenizers.Tests;

/// <summary>What makes other tokens has another fingerprint, and what makes none has the same.</summary>
public sealed class TokenizerFingerprintTests
{
    /// <summary>A tokenizer.json that says how long a batch was is the same one.</summary>
    [Fact]
    public void PaddingAndTruncationOfATokenizerJsonAreNoOthers()
    {
        string source = Directory.GetDirectories(Path.Combine(SharedData.Repository, "tests", "Fixtures"), "*", SearchOption.AllDirectories).First(path => File.Exists(Path.Combine(path, "tokenizer.json")));
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "tokenizer.json");
        JsonObject json = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "tokenizer.json")))!.AsObject();
        string? Written(Action change)
        {
            change();
            File.WriteAllText(file, json.ToJsonString());
            return TokenizerFingerprint.OfBehaviour(folder.Path);
        }

        string? first = Written(() => { });
        Assert.NotNull(first);
        Assert.Equal(first, Written(() => json["truncation"] = JsonNode.Parse("""{"direction": "Right", "max_length": 128, "strategy": "LongestFirst", "stride": 0}""")));
        Assert.Equal(first, Written(() => json["padding"] = null));
        Assert.NotEqual(first, Written(() => json["normalizer"] = JsonNode.Parse("""{"type": "NFC"}""")));
    }
    /// <summary>Files that were saved anew, in other words or in another format, make the same tokens.</summary>
    [Fact]
    public void FilesThatMakeTheSameTokensAreNoOthers()
    {
        using var folder = new TemporaryFolder();
        string vocabulary = Path.Combine(folder.Path, "vocab.txt"), config = Path.Combine(folder.Path, "tokenizer_config.json");
        string[] tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "film", "##s", "é", "e", "."];
        File.WriteAllLines(vocabulary, tokens);
        File.WriteAllText(config, """{"tokenizer_class": "BertTokenizer", "do_lower_case": true, "model_max_length": 64}""");
        (string? files, string? behaviour) = (TokenizerFingerprint.OfFiles(folder.Path), TokenizerFingerprint.OfBehaviour(folder.Path));
        Assert.NotNull(behaviour);
        void IsSame(bool expected) => Assert.Equal(expected, TokenizerFingerprint.OfBehaviour(folder.Path) == behaviour);
        File.WriteAllText(vocabulary, string.Join("\r\n", tokens));
        Assert.NotEqual(files, TokenizerFingerprint.OfFiles(folder.Path));
        IsSame(true);
        File.WriteAllText(config, """{"tokenizer_class": "BertTokenizer", "do_lower_case": true, "strip_accents": true, "tokenize_chinese_chars": true, "cls_token": "[CLS]", "added_tokens_decoder": {"0": {"content": "[PAD]", "special": true}}}""");
        IsSame(true);
        File.Delete(config);
        IsSame(true);
        File.WriteAllText(Path.Combine(folder.Path, "special_tokens_map.json"), """{"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"}""");
        IsSame(true);
        File.WriteAllText(config, """{"tokenizer_class": "BertTokenizer", "do_lower_case": false}""");
        IsSame(false);
        File.Delete(config);
        (tokens[6], tokens[7]) = (tokens[7], tokens[6]);
        File.WriteAllLines(vocabulary, tokens);
        IsSame(false);
    }
}
