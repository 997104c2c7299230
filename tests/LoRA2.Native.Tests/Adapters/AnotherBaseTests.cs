using System.Text.Json.Nodes;
using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Inference;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>An adapter on a base whose weights are the same, and whose config or tokenizer is not, has a warning that says which.</summary>
public sealed class AnotherBaseTests
{
    private const string Metadata = "lora2_base";

    public static TheoryData<string, string, string> Configs => new()
    {
        { "bert", "\"hidden_act\": \"relu\"", "hidden_act was gelu and is relu" },
        { "bert", "\"layer_norm_eps\": 0.1", "layer_norm_eps was 1E-06 and is 0.1" },
        { "bert", "\"pad_token_id\": 3", "pad_token_id was 0 and is 3" },
        { "bert", "\"num_attention_heads\": 1", "num_attention_heads was 2 and is 1" },
        { "deberta-v2", "\"pos_att_type\": [\"c2p\"]", "pos_att_type was c2p|p2c and is c2p" },
        { "deberta-v2", "\"pooler_hidden_act\": \"tanh\"", "pooler_hidden_act was gelu and is tanh" },
    };

    public static TheoryData<string> Tokenizers => [.. Changes.Keys];

    private static Dictionary<string, Action<string>> Changes { get; } = new()
    {
        ["two words have changed places"] = path => Swap(Path.Combine(path, "vocab.txt"), "good", "bad"),
        ["cases"] = path => Set(Path.Combine(path, "tokenizer_config.json"), "do_lower_case", false),
        ["an added token"] = path => File.WriteAllText(Path.Combine(path, "added_tokens.json"), $$"""{"dull": {{File.ReadAllLines(Path.Combine(path, "vocab.txt")).Length}}}"""),
        ["accents"] = path => Set(Path.Combine(path, "tokenizer_config.json"), "strip_accents", false),
    };

    [Theory]
    [MemberData(nameof(Configs))]
    public void AChangedConfigIsNamed(string type, string field, string expected)
    {
        using var folders = new HostedFolders(type);
        string adapter = folders.Adapter("own");
        Assert.Empty(WarningsOf(folders.Base, adapter));
        string path = Path.Combine(folders.Base, "config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject(), changed = JsonNode.Parse($"{{{field}}}")!.AsObject();
        foreach ((string name, JsonNode? value) in changed) config[name] = value!.DeepClone();
        File.WriteAllText(path, config.ToJsonString());
        string warning = Assert.Single(WarningsOf(folders.Base, adapter));
        Assert.StartsWith($"{Path.Combine(adapter, AdapterFolder.WeightsFile)}: the adapter was trained on a base model with another config.json: ", warning, StringComparison.Ordinal);
        Assert.Contains(expected, warning, StringComparison.Ordinal);
    }

    /// <summary>What only training asks for, and what says the same in other words, is no other base.</summary>
    [Fact]
    public void WhatChangesNoAnswerIsNoOtherConfig()
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("own"), path = Path.Combine(folders.Base, "config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        config["hidden_dropout_prob"] = 0.3;
        config["attention_probs_dropout_prob"] = 0.3;
        config["initializer_range"] = 0.5;
        config["classifier_dropout"] = 0.5;
        config["position_embedding_type"] = "absolute";
        config["transformers_version"] = "5.0.0";
        File.WriteAllText(path, config.ToJsonString());
        Assert.Empty(WarningsOf(folders.Base, adapter));
    }

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void AnotherTokenizerIsNamed(string change)
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("own");
        Changes[change](folders.Base);
        string warning = Assert.Single(WarningsOf(folders.Base, adapter));
        Assert.Equal($"{Path.Combine(adapter, AdapterFolder.WeightsFile)}: the adapter was trained with another tokenizer than the one in '{folders.Base}' (vocabulary, lower-casing or added tokens)", warning);
        using AdapterHost host = AdapterHost.Load(folders.Base);
        Assert.Contains("another tokenizer", Assert.Single(host.Put("own", adapter).Settings.Warnings), StringComparison.Ordinal);
    }

    /// <summary>PEFT's adapters, and those of before.</summary>
    [Fact]
    public void AnAdapterThatDoesNotSayLoadsWithoutAWord()
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("own");
        string file = Path.Combine(adapter, AdapterFolder.WeightsFile);
        byte[] bytes = File.ReadAllBytes(file);
        int length = (int)BitConverter.ToInt64(bytes);
        JsonObject header = JsonNode.Parse(bytes.AsSpan(8, length))!.AsObject();
        string[] keys = [.. header["__metadata__"]!.AsObject().Select(said => said.Key).Where(key => key.StartsWith(Metadata, StringComparison.Ordinal))];
        Assert.Equal(3, keys.Length);
        foreach (string key in keys) header["__metadata__"]!.AsObject().Remove(key);
        byte[] text = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString().PadRight(length));
        Assert.Equal(length, text.Length);
        File.WriteAllBytes(file, [.. bytes.AsSpan(0, 8), .. text, .. bytes.AsSpan(8 + length)]);
        Set(Path.Combine(folders.Base, "tokenizer_config.json"), "do_lower_case", false);
        Set(Path.Combine(folders.Base, "config.json"), "hidden_act", "relu");
        Assert.Empty(WarningsOf(folders.Base, adapter));
    }

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void AnotherTokenizerInTheAdaptersFolderIsNamed(string change)
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("own");
        foreach (string name in (string[])["vocab.txt", "tokenizer_config.json"]) File.Copy(Path.Combine(folders.Base, name), Path.Combine(adapter, name));
        Assert.Empty(WarningsOf(folders.Base, adapter));
        Changes[change](adapter);
        string warning = Assert.Single(WarningsOf(folders.Base, adapter));
        Assert.EndsWith($": the adapter's folder has another tokenizer than '{folders.Base}', whose own is used", warning, StringComparison.Ordinal);
    }

    /// <summary>A vocabulary by itself, settings by themselves, and files that can't be read.</summary>
    [Theory]
    [InlineData("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\n")]
    [InlineData("tokenizer_config.json", """{"do_lower_case": false, "tokenizer_class": "BertTokenizer"}""")]
    [InlineData("tokenizer.json", "{}")]
    public void OneFileOfAnotherTokenizerIsNamed(string name, string text)
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("own"), file = Path.Combine(adapter, name);
        File.WriteAllText(file, text);
        Assert.StartsWith(file + ": ", Assert.Single(WarningsOf(folders.Base, adapter)), StringComparison.Ordinal);
    }

    /// <summary>As PEFT's trainers leave it: the same tokenizer, saved anew.</summary>
    [Fact]
    public void TheSameTokenizerInOtherWordsIsNone()
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("own"), settings = Path.Combine(adapter, "tokenizer_config.json");
        File.Copy(Path.Combine(folders.Base, "tokenizer_config.json"), settings);
        Set(settings, "clean_up_tokenization_spaces", true);
        Assert.Empty(WarningsOf(folders.Base, adapter));
    }

    private static IReadOnlyList<string> WarningsOf(string model, string adapter)
    {
        LoadedModel loaded = LoadedModel.Load(model, adapter);
        using SequenceClassifier classifier = loaded.Model;
        return loaded.Adapter!.Warnings;
    }

    private static void Set(string file, string name, JsonNode value)
    {
        JsonObject json = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        json[name] = value;
        File.WriteAllText(file, json.ToJsonString());
    }

    private static void Swap(string file, string one, string other)
    {
        string[] lines = File.ReadAllLines(file);
        int first = Array.IndexOf(lines, one), second = Array.IndexOf(lines, other);
        (lines[first], lines[second]) = (lines[second], lines[first]);
        File.WriteAllLines(file, lines);
    }
}
