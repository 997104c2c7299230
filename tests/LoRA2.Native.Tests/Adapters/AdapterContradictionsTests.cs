using System.Text.Json.Nodes;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tests.Inference;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>What an adapter_config.json says and nothing comes of has a warning that names it.</summary>
public sealed class AdapterContradictionsTests
{
    public static TheoryData<string, string, string[]> Fields => new()
    {
        { "rank_pattern", """{"query": 4}""", [] },
        { "rank_pattern", """{"layer\\.7\\.attention\\.self\\.query": 4, "que": 4, "value": 4}""", ["rank_pattern has \"layer\\.7\\.attention\\.self\\.query\", which fits no layer that the adapter is on", "rank_pattern has \"que\", which fits no layer that the adapter is on"] },
        { "alpha_pattern", """{"qurey": 4}""", ["alpha_pattern has \"qurey\", which fits no layer that the adapter is on"] },
        { "layers_to_transform", "[0, 1]", [] },
        { "layers_to_transform", "[0, 1, 7, 9]", ["layers_to_transform has 7, and the adapter is on no layer of that number", "layers_to_transform has 9, and the adapter is on no layer of that number"] },
        { "exclude_modules", """["pooler.dense"]""", [] },
        { "exclude_modules", """["kye", "encoder.layer.9.output.dense"]""", ["exclude_modules has \"kye\", which is no layer of this model", "exclude_modules has \"encoder.layer.9.output.dense\", which is no layer of this model"] },
        { "exclude_modules", """ ".*\\.layer\\.9\\..*" """, ["exclude_modules has \".*\\.layer\\.9\\..*\", which is no layer of this model"] },
        { "lora_alpha", "0", ["lora_alpha is 0, so that the adapter's matrices change nothing there; a scale other than 0 was expected"] },
        { "lora_alpha", "-8", [] },
        { "alpha_pattern", """{"layer.0.attention.self.query": 0}""", ["alpha_pattern is 0 for bert.encoder.layer.0.attention.self.query, so that the adapter's matrices change nothing there; a scale other than 0 was expected"] },
        { "task_type", "null", [] },
        { "task_type", "\"TOKEN_CLS\"", ["task_type is \"TOKEN_CLS\"; task.json beside it says classification (SEQ_CLS), and is followed"] },
        { "task_type", "\"FEATURE_EXTRACTION\"", ["task_type is \"FEATURE_EXTRACTION\"; task.json beside it says classification (SEQ_CLS), and is followed"] },
        { "task_type", "\"CAUSAL_LM\"", ["task_type is \"CAUSAL_LM\"; task.json beside it says classification (SEQ_CLS), and is followed"] },
    };

    [Theory]
    [MemberData(nameof(Fields))]
    public void WhatDoesNothingIsNamed(string field, string value, string[] expected)
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("own"), path = Set(adapter, field, value);
        Assert.Equal(expected.Select(sentence => $"{path}: {sentence}"), WarningsOf(folders.Base, adapter));
        using AdapterHost host = AdapterHost.Load(folders.Base);
        Assert.Equal(expected.Select(sentence => $"{path}: {sentence}"), host.Put("own", adapter).Settings.Warnings);
    }

    /// <summary>A regular expression may take longer than the universe has.</summary>
    [Theory]
    [InlineData("exclude_modules", "\"(?:[a-z.]+[a-z0-9.]*)+[0-9]\"", "exclude_modules")]
    [InlineData("rank_pattern", """{"(?:[a-z.]+[a-z0-9.]*)+[0-9]": 4}""", "rank_pattern")]
    public void APatternWithoutAnEndIsRefused(string field, string value, string named)
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("own"), path = Set(adapter, field, value);
        string message = Assert.Throws<InputException>(() => TextClassifier.Load(folders.Base, adapter)).Message;
        Assert.StartsWith($"{path}: {named} has the regular expression \"(?:[a-z.]+[a-z0-9.]*)+[0-9]\", which took over 1 s for the name \"bert.encoder.layer.0.", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SEQ_CLS", null)]
    [InlineData("FEATURE_EXTRACTION", "task_type is \"FEATURE_EXTRACTION\"; the adapter holds a head, which is used as that of classification (SEQ_CLS)")]
    [InlineData("SEQ_2_SEQ_LM", "task_type is \"SEQ_2_SEQ_LM\"; the adapter holds a head, which is used as that of classification (SEQ_CLS)")]
    public void AHeadOfAnotherTaskIsNamedWhereNothingElseSaysTheTask(string type, string? expected)
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("own", labels: 3);
        File.Delete(Path.Combine(adapter, TaskDescription.FileName));
        string path = Set(adapter, "task_type", $"\"{type}\"");
        Assert.Equal(expected is null ? [] : [$"{path}: {expected}"], WarningsOf(folders.Base, adapter));
        // A model that makes vectors has no use for the head, and takes none.
        folders.SaveWithoutHead();
        using TextEmbedder embedder = TextEmbedder.Load(folders.Base, adapter);
        Assert.DoesNotContain(embedder.Adapter!.Warnings, warning => warning.Contains("task_type", StringComparison.Ordinal));
    }

    /// <summary>The base is a tagger, and the adapter's head of texts is of the same shape as a tagger's.</summary>
    [Fact]
    public void AHeadOfTextsOnATaggerIsNamed()
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("own", labels: 3, head: HeadTraining.Classifier);
        File.Delete(Path.Combine(adapter, TaskDescription.FileName));
        Set(folders.Base, "config.json", "architectures", "[\"BertForTokenClassification\"]");
        string warning = WarningsOf(folders.Base, adapter)[0];
        Assert.EndsWith("adapter_config.json: task_type is \"SEQ_CLS\"; the adapter holds a head, which is used as that of tokens (TOKEN_CLS)", warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-16)]
    [InlineData(double.NaN)]
    public void AnAlphaThatTrainsNothingIsRefused(double alpha)
    {
        using var folders = new HostedFolders();
        using SequenceClassifier model = SequenceClassifier.FromFolder(folders.Base);
        foreach (AdapterMethod method in (AdapterMethod[])[new LoRAMethod { Alpha = alpha }, new LoRA2Method { Alpha = alpha }, new AdaLoRAMethod { Alpha = alpha }, new DoRAMethod { Alpha = alpha }, new SoRAMethod { Alpha = alpha }, new LoRAXSMethod { Alpha = alpha }])
        {
            string message = Assert.Throws<InputException>(() => model.Attach(new AdapterSettings { Method = method }, 1)).Message;
            Assert.Equal(FormattableString.Invariant($"alpha is {alpha}; a number from 1E-06 to 1000000 was expected"), message);
        }
    }

    private static string Set(string folder, string field, string value) => Set(folder, AdapterFolder.ConfigFile, field, value);

    private static string Set(string folder, string file, string field, string value)
    {
        string path = Path.Combine(folder, file);
        JsonObject json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        json[field] = JsonNode.Parse(value);
        File.WriteAllText(path, json.ToJsonString());
        return path;
    }

    private static IReadOnlyList<string> WarningsOf(string model, string adapter)
    {
        LoadedModel loaded = LoadedModel.Load(model, adapter);
        using SequenceClassifier classifier = loaded.Model;
        return loaded.Adapter!.Warnings;
    }
}
