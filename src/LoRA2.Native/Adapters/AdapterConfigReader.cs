using System.Text.Json;
using LoRA2.Native.Encoders;

namespace LoRA2.Native.Adapters;

/// <summary>Reads PEFT's <c>adapter_config.json</c>. What changes the computation and is not supported is an error that names the field.</summary>
internal static class AdapterConfigReader
{
    public static AdapterSettings Read(string path) => Parse(path, Read);

    public static string? BaseModel(string path) => Parse(path, fields => fields.String("base_model_name_or_path", null));

    private static T Parse<T>(string path, Func<ConfigFields, T> read)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"'{path}' does not exist; an adapter folder has an adapter_config.json as PEFT writes it", e);
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new InputException($"{path}: a JSON object was expected");
            return read(new ConfigFields(path, document.RootElement));
        }
        catch (JsonException e)
        {
            throw new InputException($"{path}: not valid JSON (line {e.LineNumber + 1}): {e.Message}", e);
        }
    }

    private static AdapterSettings Read(ConfigFields fields)
    {
        string type = fields.OneOf("peft_type", "", ["LORA", "LORA2"]);
        fields.OneOf("bias", "none", ["none"]);
        fields.Require("fan_in_fan_out", false);
        fields.Require("use_rslora", false);
        fields.Require("use_dora", false);
        foreach (string field in (ReadOnlySpan<string>)["alpha_pattern", "rank_pattern", "layers_to_transform", "exclude_modules", "megatron_config", "layer_replication"])
            fields.RequireEmpty(field);
        string[] targets = fields.Strings("target_modules", ',');
        if (targets.Length == 0) throw fields.Error("target_modules is missing or empty");
        string[] saved = fields.Strings("modules_to_save", ',');
        return new AdapterSettings
        {
            Method = type == "LORA2" ? AdapterMethod.LoRA2 : AdapterMethod.LoRA,
            Rank = fields.Int("r", null, 1),
            OuterRank = type == "LORA2" ? fields.Int("k", null, 1) : 0,
            Alpha = fields.Number("lora_alpha", 8, double.MinValue, double.MaxValue),
            Targets = targets,
            Head = saved.Contains("pooler") ? HeadTraining.PoolerAndClassifier : HeadTraining.Classifier,
        };
    }
}
