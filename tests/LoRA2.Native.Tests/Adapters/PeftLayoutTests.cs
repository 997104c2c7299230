using System.Text.Json;
using System.Text.Json.Nodes;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Serialization;
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
    [InlineData("bias", "\"some\"", "bias 'some' is not supported; none, all, lora_only can be")]
    [InlineData("fan_in_fan_out", "true", "fan_in_fan_out = true is not supported")]
    [InlineData("alpha_pattern", "{\"query\": 1e300}", "alpha_pattern.query is 1e300; a number from -1000000 to 1000000 was expected")]
    [InlineData("rank_pattern", "{\"query\": 0}", "rank_pattern.query is 0; a number from 1 to 65536 was expected")]
    [InlineData("rank_pattern", "{\"(\": 2}", "rank_pattern has no regular expression")]
    [InlineData("layers_to_transform", "[-1]", "layers_to_transform is [-1]; integers of at least 0 was expected")]
    [InlineData("target_modules", "\"(\"", "target_modules has no regular expression")]
    [InlineData("layer_replication", "[[0, 4]]", "layer_replication is not supported")]
    [InlineData("trainable_token_indices", "[1]", "trainable_token_indices is not supported")]
    [InlineData("init_lora_weights", "\"pissa_niter_16\"", "init_lora_weights = \"pissa_niter_16\" is not supported: it took a part out of the base model's weights that was found by chance")]
    [InlineData("init_lora_weights", "\"loftq\"", "init_lora_weights = \"loftq\" is not supported: it rounded the base model's weights")]
    [InlineData("init_lora_weights", "\"corda\"", "init_lora_weights = \"corda\" is not supported: it took a part out of the base model's weights that depends on data")]
    [InlineData("init_lora_weights", "\"lora_ga\"", "init_lora_weights = \"lora_ga\" is not supported: it is not known")]
    [InlineData("use_bdlora", "{\"nblocks\": 2}", "use_bdlora is not supported")]
    [InlineData("lora_bias", "true", "lora_bias = true is not supported")]
    [InlineData("use_qalora", "true", "use_qalora = true is not supported")]
    [InlineData("peft_type", "\"IA3\"", "peft_type 'IA3' is not supported; LORA2, LORA, ADALORA, SORA, LORA_XS, VERA, BITFIT can be")]
    [InlineData("r", "0", "r is 0; an integer from 1 to 65536 was expected")]
    [InlineData("target_modules", "[]", "target_modules is missing or empty")]
    public void WhatChangesTheComputationIsRefused(string field, string value, string sentence)
    {
        using var folder = new TemporaryFolder();
        Write(folder, field, value);
        string message = Assert.Throws<InputException>(() => AdapterFolder.SettingsIn(folder.Path)).Message;
        Assert.Contains(sentence, message, StringComparison.Ordinal);
        Assert.Contains("adapter_config.json", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 2, 4, "0.query 0.value 1.query 1.value")]
    [InlineData(""", "layers_to_transform": [1]""", 2, 4, "1.query 1.value")]
    [InlineData(""", "layers_to_transform": 0, "layers_pattern": "layer" """, 2, 4, "0.query 0.value")]
    [InlineData(""", "exclude_modules": ["value_proj"]""", 2, 4, "0.query 1.query")]
    [InlineData(""", "exclude_modules": ".*layer\\.0.*" """, 2, 4, "1.query 1.value")]
    [InlineData(""", "rank_pattern": {"layer\\.1\\.attention\\.self\\.query_proj": 3}, "alpha_pattern": {"query_proj": 6, ".*value_proj": 8}""", 2, 4, "0.query 0.value 1.query 1.value")]
    [InlineData(""", "target_modules": ".*\\.query_proj" """, 2, 4, "0.query 1.query")]
    public void FieldsChooseLayersRanksAndAlphas(string more, int rank, double alpha, string layers)
    {
        using var small = new SmallModel();
        using var folder = new TemporaryFolder();
        string config = $$"""{"peft_type": "LORA", "r": {{rank}}, "lora_alpha": {{alpha}}, "target_modules": ["query_proj", "value_proj"]{{more}}}""";
        // A field that is there twice counts as the last does.
        if (more.Contains("target_modules", StringComparison.Ordinal)) config = config.Replace("\"target_modules\": [\"query_proj\", \"value_proj\"], ", "", StringComparison.Ordinal);
        folder.Write("adapter_config.json", System.Text.Encoding.UTF8.GetBytes(config));
        using var scope = new TensorScope();
        var writer = new SafetensorsWriter();
        foreach (string layer in layers.Split(' '))
        {
            string module = $"base_model.model.deberta.encoder.layer.{layer[0]}.attention.self.{layer[2..]}_proj";
            int own = more.Contains("rank_pattern", StringComparison.Ordinal) && layer == "1.query" ? 3 : rank;
            writer.Add($"{module}.lora_A.weight", Tensor.Full([own, 16], 0.5));
            writer.Add($"{module}.lora_B.weight", Tensor.Full([16, own], 0.5));
        }

        writer.Write(folder.File("adapter_model.safetensors"));
        AdapterFolder.Load(small.Model, folder.Path);
        LinearLayer[] adapted = [.. small.Model.AdaptableLayers.Where(layer => layer.Adapter is not null)];
        Assert.Equal(layers.Split(' ').Length, adapted.Length);
        Assert.All(layers.Split(' '), layer => Assert.Contains(adapted, found => found.Name.EndsWith($".{layer[0]}.attention.self.{layer[2..]}_proj", StringComparison.Ordinal)));
        if (!more.Contains("alpha_pattern", StringComparison.Ordinal)) return;
        double Scale(string ending) => ((LoRAAdapter)adapted.Single(layer => layer.Name.EndsWith(ending, StringComparison.Ordinal)).Adapter!).Scale;
        Assert.Equal([6 / 2.0, 8 / 2.0, 6 / 3.0], [Scale("0.attention.self.query_proj"), Scale("0.attention.self.value_proj"), Scale("1.attention.self.query_proj")]);
        // Saved here they are the same again.
        using var again = new TemporaryFolder();
        float[] hidden = small.HiddenStates();
        AdapterFolder.Save(small.Model, AdapterFolder.SettingsIn(folder.Path), "base", again.Path);
        AdapterFolder.Load(small.Model, again.Path);
        Assert.Equal(hidden, small.HiddenStates());
    }

    /// <summary>The base model's own head in its place, whole or in part, would answer as nobody trained it.</summary>
    [Theory]
    [InlineData("SEQ_CLS", "classifier,score", "classifier.", "classifier.bias|classifier.weight", "adapter_config.json says that its module was saved")]
    [InlineData("SEQ_CLS", "classifier,score", "classifier.bias", "classifier.bias", "adapter_config.json says that its module was saved")]
    [InlineData("SEQ_CLS", "", "classifier.", "classifier.bias|classifier.weight", "adapter_config.json says that its module was saved")]
    [InlineData(null, "pooler", "pooler.dense.weight", "pooler.dense.weight", "adapter_config.json says that its module was saved")]
    [InlineData(null, "classifier,embeddings", "", "deberta.embeddings.word_embeddings.weight", "adapter_config.json says that its module was saved")]
    [InlineData(null, "", "classifier.bias", "classifier.bias", "the whole of its module or nothing was expected")]
    public void AHeadThatShouldBeThereAndIsNotIsRefused(string? task, string saved, string without, string missing, string sentence)
    {
        using var small = new SmallModel(layers: 1);
        using var folder = new TemporaryFolder();
        SaveWithout(small, folder, task, saved, name => without.Length > 0 && name.Contains(without, StringComparison.Ordinal));
        string message = Assert.Throws<InputException>(() => AdapterFolder.Load(small.Model, folder.Path)).Message;
        Assert.StartsWith($"{folder.File("adapter_model.safetensors")}: tensor \"base_model.model.", message, StringComparison.Ordinal);
        Assert.Contains(missing.Split('|'), name => message.Contains($"{name}\" is missing", StringComparison.Ordinal));
        Assert.EndsWith(sentence, message, StringComparison.Ordinal);
    }

    /// <summary>PEFT lists names that a model may have, saves with them only what is listed, and with bias = all the biases of modules that it does not save.</summary>
    [Theory]
    [InlineData("SEQ_CLS", "classifier,score", "pooler.")]
    [InlineData(null, "", "classifier.|pooler.")]
    [InlineData(null, "", "classifier.weight|pooler.dense.weight")]
    [InlineData("FEATURE_EXTRACTION", "", "classifier.|pooler.")]
    public void AHeadThatNobodySavedIsTheBaseModels(string? task, string saved, string without)
    {
        using var small = new SmallModel(layers: 1);
        using var folder = new TemporaryFolder();
        SaveWithout(small, folder, task, saved, name => without.Split('|').Any(part => name.Contains(part, StringComparison.Ordinal)));
        AdapterFolder.Load(small.Model, folder.Path);
    }

    /// <summary>PEFT draws them from the key whatever the file has.</summary>
    [Fact]
    public void VeRAsProjectionsComeFromTheKey()
    {
        using var small = new SmallModel(layers: 1);
        using var folder = new TemporaryFolder();
        var settings = new AdapterSettings { Method = SmallModel.Method("vera") };
        small.Model.Attach(settings, 42);
        small.Train(settings.Method, 2);
        float[] logits = small.Logits();
        AdapterFolder.Save(small.Model, settings, "base", folder.Path);
        Assert.Contains("\"projection_prng_key\": 42", File.ReadAllText(folder.File("adapter_config.json")), StringComparison.Ordinal);
        string whole = folder.File("adapter_model.safetensors");
        var without = new SafetensorsWriter();
        using (SafetensorsFile file = SafetensorsFile.Open(whole))
        {
            foreach (SafetensorsEntry entry in file.Entries.Where(entry => !entry.Name.StartsWith("base_model.vera_", StringComparison.Ordinal))) without.Add(entry.Name, entry.Type, entry.Shape, file.GetBytes(entry).ToArray());
        }

        without.Write(whole);
        File.WriteAllText(folder.File("adapter_config.json"), File.ReadAllText(folder.File("adapter_config.json")).Replace("\"save_projection\": true", "\"save_projection\": false", StringComparison.Ordinal));
        AdapterFolder.Load(small.Model, folder.Path);
        Assert.Equal(logits, small.Logits());
        AdapterFolder.Save(small.Model, settings, "base", folder.Path);
        File.WriteAllText(folder.File("adapter_config.json"), File.ReadAllText(folder.File("adapter_config.json")).Replace("\"projection_prng_key\": 42", "\"projection_prng_key\": 43", StringComparison.Ordinal));
        Assert.Contains("is not what projection_prng_key 43 gives", Assert.Throws<InputException>(() => AdapterFolder.Load(small.Model, folder.Path)).Message, StringComparison.Ordinal);
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

    /// <summary>PEFT saves the biases that it trained; without them the model is another one.</summary>
    [Theory]
    [InlineData("all", "embeddings.LayerNorm.bias")]
    [InlineData("lora_only", "encoder.layer.0.attention.self.query_proj.bias")]
    public void BiasesThatWereTrainedMustBeThere(string biases, string missing)
    {
        using var small = new SmallModel();
        using var folder = new TemporaryFolder();
        var settings = new AdapterSettings { Method = SmallModel.Method("lora") };
        small.Model.Attach(settings, 3);
        AdapterFolder.Save(small.Model, settings, "base", folder.Path);
        string path = folder.File("adapter_config.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"bias\": \"none\"", $"\"bias\": \"{biases}\"", StringComparison.Ordinal));
        string message = Assert.Throws<InputException>(() => AdapterFolder.Load(small.Model, folder.Path)).Message;
        Assert.Contains($"{missing}\" is missing; adapter_config.json says that biases were trained (bias is \"{biases}\")", message, StringComparison.Ordinal);
    }

    /// <summary>An adapter with its whole head, but for some tensors.</summary>
    private static void SaveWithout(SmallModel small, TemporaryFolder folder, string? task, string saved, Func<string, bool> isMissing)
    {
        var settings = new AdapterSettings { Method = SmallModel.Method("lora"), Head = HeadTraining.All };
        small.Model.Attach(settings, 3);
        AdapterFolder.Save(small.Model, settings, "base", folder.Path);
        string path = folder.File("adapter_model.safetensors");
        var rest = new SafetensorsWriter();
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            foreach (SafetensorsEntry entry in file.Entries.Where(entry => !isMissing(entry.Name))) rest.Add(entry.Name, entry.Type, entry.Shape, file.GetBytes(entry).ToArray());
        }

        rest.Write(path);
        var config = (JsonObject)JsonNode.Parse(File.ReadAllText(folder.File("adapter_config.json")))!;
        config["task_type"] = task;
        config["modules_to_save"] = new JsonArray([.. saved.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(name => (JsonNode)name)]);
        File.WriteAllText(folder.File("adapter_config.json"), config.ToJsonString());
    }

    private static void Write(TemporaryFolder folder, string field, string value)
    {
        var config = (JsonObject)JsonNode.Parse("""{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "bias": "none", "fan_in_fan_out": false, "target_modules": ["query_proj"], "use_dora": false}""")!;
        config[field] = JsonNode.Parse(value);
        File.WriteAllText(folder.File("adapter_config.json"), config.ToJsonString());
    }
}
