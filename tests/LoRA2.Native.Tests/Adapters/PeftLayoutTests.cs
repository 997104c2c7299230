using System.Text.Json;
using System.Text.Json.Nodes;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>PEFT's names, shapes and config fields for the methods that PEFT has, and what of its config is refused.</summary>
public sealed class PeftLayoutTests
{
    private const string Query = "base_model.model.deberta.encoder.layer.0.attention.self.query_proj.";

    [Theory]
    [InlineData("lora", "LORA", "lora_A.weight:4,16 lora_B.weight:16,4")]
    [InlineData("dora", "LORA", "lora_A.weight:4,16 lora_B.weight:16,4 lora_magnitude_vector:16")]
    [InlineData("adalora", "ADALORA", "lora_A:4,16 lora_B:16,4 lora_E:4,1")]
    [InlineData("vera", "VERA", "vera_lambda_b:16 vera_lambda_d:4")]
    public void NamesShapesAndFieldsArePefts(string name, string type, string tensors)
    {
        using var small = new SmallModel();
        using var folder = new TemporaryFolder();
        AdapterMethod method = SmallModel.Method(name);
        var settings = new AdapterSettings { Method = method, Head = HeadTraining.Classifier };
        small.Model.Attach(settings, 3);
        small.Train(method);
        AdapterFolder.Save(small.Model, settings, "microsoft/deberta-v3-base", folder.Path);
        using SafetensorsFile file = SafetensorsFile.Open(folder.File(AdapterFolder.WeightsFile));
        IEnumerable<string> found = file.Entries.Where(entry => entry.Name.StartsWith(Query, StringComparison.Ordinal))
            .Select(entry => $"{entry.Name[Query.Length..]}:{string.Join(',', entry.Shape.ToArray())}").Order(StringComparer.Ordinal);
        Assert.Equal(tensors, string.Join(' ', found));
        Assert.True(file.TryGetEntry("base_model.model.classifier.weight", out _));
        Assert.Equal(name == "vera", file.TryGetEntry("base_model.vera_A", out SafetensorsEntry? a));
        if (name == "vera") Assert.Equal([4, 24], a!.Shape.ToArray());

        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(folder.File(AdapterFolder.ConfigFile)));
        JsonElement config = document.RootElement;
        Assert.Equal(type, config.GetProperty("peft_type").GetString());
        Assert.Equal("SEQ_CLS", config.GetProperty("task_type").GetString());
        Assert.Equal("microsoft/deberta-v3-base", config.GetProperty("base_model_name_or_path").GetString());
        Assert.Equal("none", config.GetProperty("bias").GetString());
        Assert.Equal(["classifier"], config.GetProperty("modules_to_save").EnumerateArray().Select(module => module.GetString()!));
        Assert.Equal(4, config.GetProperty(name == "adalora" ? "init_r" : "r").GetInt32());
        if (type == "LORA") Assert.Equal(name == "dora", config.GetProperty("use_dora").GetBoolean());
        if (name == "vera") Assert.True(config.GetProperty("save_projection").GetBoolean());
    }

    [Theory]
    [InlineData("bias", "\"all\"", "bias 'all' is not supported")]
    [InlineData("fan_in_fan_out", "true", "fan_in_fan_out = true is not supported")]
    [InlineData("alpha_pattern", "{\"query\": 2}", "alpha_pattern is not supported")]
    [InlineData("rank_pattern", "{\"query\": 2}", "rank_pattern is not supported")]
    [InlineData("layers_to_transform", "[0]", "layers_to_transform is not supported")]
    [InlineData("exclude_modules", "[\"key\"]", "exclude_modules is not supported")]
    [InlineData("init_lora_weights", "\"pissa\"", "init_lora_weights = \"pissa\" is not supported")]
    [InlineData("lora_bias", "true", "lora_bias = true is not supported")]
    [InlineData("use_qalora", "true", "use_qalora = true is not supported")]
    [InlineData("peft_type", "\"IA3\"", "peft_type 'IA3' is not supported; LORA2, LORA, ADALORA, SORA, LORA_XS, VERA, BITFIT can be")]
    [InlineData("r", "0", "r is 0; an integer of at least 1 was expected")]
    [InlineData("target_modules", "[]", "target_modules is missing or empty")]
    public void WhatChangesTheComputationIsRefused(string field, string value, string sentence)
    {
        using var folder = new TemporaryFolder();
        Write(folder, field, value);
        string message = Assert.Throws<InputException>(() => AdapterFolder.SettingsIn(folder.Path)).Message;
        Assert.Contains(sentence, message, StringComparison.Ordinal);
        Assert.Contains("adapter_config.json", message, StringComparison.Ordinal);
    }

    [Fact]
    public void VeRAWithoutItsProjectionsIsRefused()
    {
        using var folder = new TemporaryFolder();
        folder.Write("adapter_config.json", """{"peft_type": "VERA", "r": 4, "save_projection": false, "target_modules": ["query_proj"]}"""u8.ToArray());
        Assert.Contains("save_projection = false is not supported", Assert.Throws<InputException>(() => AdapterFolder.SettingsIn(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("use_rslora", "true")]
    [InlineData("lora_dropout", "0.1")]
    [InlineData("init_lora_weights", "\"gaussian\"")]
    [InlineData("peft_version", "\"0.18.0\"")]
    [InlineData("target_parameters", "null")]
    [InlineData("rank_pattern", "{}")]
    public void WhatDoesNotIsRead(string field, string value)
    {
        using var folder = new TemporaryFolder();
        Write(folder, field, value);
        AdapterSettings settings = AdapterFolder.SettingsIn(folder.Path);
        Assert.Empty(settings.UnknownFields);
        Assert.Equal(field == "use_rslora" ? 4 : 2, ((LoRAMethod)settings.Method).Scale);
    }

    [Fact]
    public void AFieldThatNobodyKnowsIsRemembered()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "flux_capacitor", "88");
        Assert.Equal(["flux_capacitor"], AdapterFolder.SettingsIn(folder.Path).UnknownFields);
    }

    private static void Write(TemporaryFolder folder, string field, string value)
    {
        var config = (JsonObject)JsonNode.Parse("""{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "bias": "none", "fan_in_fan_out": false, "target_modules": ["query_proj"], "use_dora": false}""")!;
        config[field] = JsonNode.Parse(value);
        File.WriteAllText(folder.File("adapter_config.json"), config.ToJsonString());
    }
}
