using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Serialization;

namespace LoRA2.Native.Encoders;

/// <summary>Saves a model as a HuggingFace folder that <c>transformers</c> opens.</summary>
public static class ModelFolder
{
    /// <summary>The config's file name.</summary>
    internal const string ConfigFile = "config.json";

    /// <summary>What a tokenizer may be made of.</summary>
    internal static readonly string[] TokenizerFiles =
        ["spm.model", "sentencepiece.bpe.model", "spiece.model", "tokenizer.json", "vocab.json", "merges.txt", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];

    /// <summary>The field of config.json that says which adapters are in the weights already. Nobody else knows the field, or minds it.</summary>
    internal const string MergedField = "lora2_merged_adapters";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Writes config, weights and tokenizer. Adapters must have been merged. The files replace earlier ones together, see <see cref="Adapters.AdapterFolder.Save"/>.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="source">The folder it was loaded from: its config is carried over with the head's changes, its tokenizer copied.</param>
    /// <param name="folder">Where to write; made when missing.</param>
    /// <param name="dtype">Float32, Float16 or BFloat16.</param>
    /// <param name="merged">An adapter that was merged since it was loaded, by its fingerprint, or null.</param>
    /// <param name="beside">What else belongs to the model, or null.</param>
    /// <exception cref="InvalidOperationException">An adapter is still on a layer.</exception>
    public static void Save(SequenceClassifier model, string source, string folder, DType dtype = DType.Float32, string? merged = null, SavedBeside? beside = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(source);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using ModelAccess.Lease pass = model.Hold();
        if (model.AdaptedLayers.Any()) throw new InvalidOperationException("merge the adapters before the model is saved");
        var writer = new SafetensorsWriter();
        foreach (Parameter parameter in model.BaseParameters) writer.Add(model.Config.FileNameOf(parameter.Name), parameter.Value, dtype);
        byte[] config = Text(Config(merged is null ? model.Config : model.Config with { Merged = [.. model.Config.Merged, merged] }, Path.Combine(source, ConfigFile), dtype));
        using var set = new FileSet(folder, ConfigFile);
        set.Add(SafetensorsFolder.SingleFile, writer.Write);
        set.Add(ConfigFile, config);
        string[] tokenizer = Path.GetFullPath(source) == Path.GetFullPath(folder) ? [] : TokenizerFiles;
        foreach (string name in tokenizer)
        {
            string from = Path.Combine(source, name);
            if (File.Exists(from)) set.Add(name, RegularFile.ReadAllBytes(from));
        }

        foreach ((string name, byte[] bytes) in model.Config.Kind.FilesBeside(folder, model.Config)) set.Add(name, bytes);
        (beside ?? new SavedBeside()).Commit(set, [SafetensorsFolder.IndexFile, .. tokenizer]);
    }

    /// <summary>JSON as people read it.</summary>
    internal static byte[] Text(JsonNode json) => Encoding.UTF8.GetBytes(json.ToJsonString(Indented) + "\n");

    private static JsonObject Config(EncoderConfig config, string source, DType dtype)
    {
        JsonObject json = JsonInput.Tree(source, "a config.json was expected");
        json["architectures"] = new JsonArray(JsonValue.Create($"{config.ClassName}{config.Kind.ClassEnding}"));
        if (config.Kind.HasLabels)
        {
            var names = new JsonObject();
            var ids = new JsonObject();
            for (int i = 0; i < config.Labels && !config.Kind.IsBareEncoder; i++)
            {
                string name = config.LabelNames?[i] ?? $"LABEL_{i}";
                names[i.ToString(System.Globalization.CultureInfo.InvariantCulture)] = name;
                ids[name] = i;
            }

            json.Remove("num_labels");
            if (config.Kind.IsBareEncoder)
            {
                json.Remove("id2label");
                json.Remove("label2id");
            }
            else
            {
                json["id2label"] = names;
                json["label2id"] = ids;
            }
        }

        if (config.Kind.ProblemType is { } problem) json["problem_type"] = problem;
        else json.Remove("problem_type");
        json.Remove(MergedField);
        if (config.Merged.Count > 0) json[MergedField] = new JsonArray([.. config.Merged.Select(name => JsonValue.Create(name))]);
        json["torch_dtype"] = dtype.ToString().ToLowerInvariant();
        return json;
    }
}
