using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;

namespace LoRA2.Native.Encoders;

/// <summary>
/// Reads a HuggingFace <c>config.json</c>. A field that changes the computation and is not supported is an error that names it; a field
/// nobody here knows is listed in <see cref="EncoderConfig.UnknownFields"/>.
/// </summary>
public static class EncoderConfigReader
{
    /// <summary>Fields that only matter elsewhere: to other frameworks, to generation, or to how a model was saved.</summary>
    private static readonly HashSet<string> Harmless =
    [
        "architectures", "_name_or_path", "transformers_version", "torch_dtype", "dtype", "use_cache", "bos_token_id", "eos_token_id", "sep_token_id",
        "cls_token_id", "mask_token_id", "gradient_checkpointing", "label2id", "finetuning_task", "output_attentions", "output_hidden_states", "output_past",
        "return_dict", "task_specific_params", "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers",
        "pooler_size_per_head", "pooler_type", "chunk_size_feed_forward", "model_max_length", "max_length", "torchscript", "prefix", "auto_map", "language",
        "bad_words_ids", "begin_suppress_tokens", "decoder_start_token_id", "diversity_penalty", "do_sample", "early_stopping", "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty", "forced_bos_token_id",
        "forced_eos_token_id", "length_penalty", "min_length", "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences", "output_scores", "remove_invalid_values", "repetition_penalty", "return_dict_in_generate",
        "suppress_tokens", "temperature", "tf_legacy_loss", "top_k", "top_p", "typical_p", "use_bfloat16",
        "name", "tokenizer_class", "id2label", "num_labels", "problem_type", "summary_type", "quantization_config_note", "legacy", "attn_implementation",
        "_attn_implementation_autoset", "_commit_hash", "xla_device", "padding_idx", "sentence_transformers", "sbert_ce_default_activation_function", "tie_word_embeddings", "cross_attention_hidden_size",
    ];

    private const string Expected = "a model folder has a config.json as HuggingFace writes it";

    /// <summary>More layers than any encoder has: a damaged number is found before anything is allocated for it.</summary>
    public const int MostLayers = 1000;

    /// <summary>Reads <c>config.json</c> in a model folder.</summary>
    /// <exception cref="InputException">It is missing, not JSON, lacks a field, or asks for something not supported.</exception>
    public static EncoderConfig FromFolder(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return WithComputation(folder, out _);
    }

    /// <summary>The same, and what the folder says besides.</summary>
    internal static EncoderConfig WithComputation(string folder, out BaseFolder said)
    {
        if (!Directory.Exists(folder)) throw new InputException($"model folder '{folder}' does not exist");
        string path = Path.Combine(folder, ModelFolder.ConfigFile);
        (EncoderConfig config, said) = JsonInput.ReadObject(path, Expected, fields =>
        {
            (EncoderConfig read, IReadOnlyDictionary<string, string> computation, string? contradiction) = ReadWhole(fields);
            return (read, new BaseFolder(folder, computation) { Doubt = contradiction is null ? null : $"{path}: {contradiction}", SpecialIds = SpecialIds(fields) });
        });
        return config;
    }

    /// <summary>Reads one file.</summary>
    /// <inheritdoc cref="FromFolder" path="/exception"/>
    public static EncoderConfig FromFile(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return JsonInput.ReadObject(path, Expected, Read);
    }

    /// <summary>Reads what would be in a file.</summary>
    /// <param name="path">The file that messages name.</param>
    /// <param name="bytes">JSON in UTF-8.</param>
    internal static EncoderConfig FromBytes(string path, byte[] bytes) => JsonInput.ParseObject(path, bytes, Read);

    private static EncoderConfig Read(ConfigFields fields) => ReadWhole(fields).Config;

    private static (EncoderConfig Config, IReadOnlyDictionary<string, string> Computation, string? Contradiction) ReadWhole(ConfigFields fields)
    {
        string type = fields.String("model_type", null) ?? throw fields.Error($"model_type is missing; {EncoderFamilies.Listed("or")} was expected");
        EncoderConfig family = EncoderFamilies.Of(type) ?? throw fields.Error($"model_type '{type}' is not supported; {EncoderFamilies.Listed("and")} are");
        EncoderConfig config = family.Read(fields);
        var computation = fields.Values.Where(field => field.Key != "model_type" && !IsOfTraining(field.Key)).ToDictionary(field => field.Key, field => field.Value);
        (int labels, string[]? names) = Labels(fields);
        config = config with { Labels = labels, LabelNames = names, Task = Problem(fields) };
        if (config.HiddenSize % config.Heads != 0) throw fields.Error($"hidden_size {config.HiddenSize} is not a multiple of num_attention_heads {config.Heads}");
        if (config.PadTokenId >= config.VocabularySize) throw fields.Error($"pad_token_id {config.PadTokenId} is outside vocab_size {config.VocabularySize}");
        RequireSizes(fields, config);
        fields.Require("add_cross_attention", false);
        fields.Require("is_decoder", false);
        fields.Require("is_encoder_decoder", false);
        fields.RequireEmpty("pruned_heads");
        fields.RequireEmpty("quantization_config");
        config = config with { Merged = fields.Strings(ModelFolder.MergedField, ',') };
        return (config with { UnknownFields = fields.Unread(Harmless) }, computation, names is null ? null : Contradiction(fields, names));
    }

    /// <summary>The ids of special tokens, as far as they are written down and numbers.</summary>
    private static Dictionary<string, int> SpecialIds(ConfigFields fields)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string name in (string[])["pad_token_id", "cls_token_id", "sep_token_id", "mask_token_id"])
        {
            if (int.TryParse(fields.Raw(name), NumberStyles.None, CultureInfo.InvariantCulture, out int id)) ids[name] = id;
        }

        return ids;
    }

    /// <summary>Dropouts, what new weights are drawn from, and which head of masked language modelling there is.</summary>
    private static bool IsOfTraining(string field) => field.Contains("drop", StringComparison.Ordinal) || field is "initializer_range" or "legacy" or "decoder_bias";

    /// <summary>Every matrix must have fewer than 2³¹ elements.</summary>
    private static void RequireSizes(ConfigFields fields, EncoderConfig config)
    {
        (string Name, long Rows)[] matrices =
        [
            ("vocab_size", config.VocabularySize), ("hidden_size", config.HiddenSize), ("intermediate_size", config.IntermediateSize),
            ("type_vocab_size", config.TypeVocabularySize), ("max_position_embeddings", config.MaxPositions), ("the number of labels", config.Labels),
        ];
        foreach ((string name, long rows) in matrices) fields.RequireMatrix(name, rows, config.HiddenSize);
    }

    /// <summary>How id2label is contradicted by what else says which class is which; it is what HuggingFace follows, and what is followed here.</summary>
    private static string? Contradiction(ConfigFields fields, string[] names)
    {
        if (fields.OptionalInt("num_labels", 1) is { } count && count != names.Length) return $"num_labels is {count}, and id2label names {names.Length}; id2label counts";
        if (fields.Object("label2id") is not { } ids) return null;
        foreach (JsonProperty label in ids.EnumerateObject())
        {
            if (label.Value.ValueKind != JsonValueKind.Number || !label.Value.TryGetInt32(out int id) || Array.IndexOf(names, label.Name) is not (>= 0 and var index) || index == id) continue;
            return $"label2id says {id} for {Quote.Name(label.Name)}, id2label {index}; id2label counts";
        }

        return null;
    }

    private static (int Count, string[]? Names) Labels(ConfigFields fields)
    {
        if (fields.Object("id2label") is not { } map) return (fields.Int("num_labels", 2, 1), null);
        string[] names = new string[map.EnumerateObject().Count()];
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (JsonProperty label in map.EnumerateObject())
        {
            if (!int.TryParse(label.Name, out int id) || id < 0 || id >= names.Length || names[id] is not null)
                throw fields.Error($"id2label has the key '{label.Name}'; 0 … {names.Length - 1}, once each, was expected");
            string name = label.Value.ValueKind switch
            {
                JsonValueKind.String => label.Value.GetString()!,
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => label.Value.GetRawText(),
                JsonValueKind.Null => throw fields.Error($"id2label has null for {id}; a class's name was expected"),
                _ => throw fields.Error($"id2label has {Quote.Name(label.Value.GetRawText())} for {id}; a class's name was expected"),
            };
            if (name.Length == 0) throw fields.Error($"id2label has \"\" for {id}; a class's name was expected");
            if (!known.TryAdd(name, id)) throw fields.Error($"id2label has {Quote.Name(name)} for {known[name]} and {id}; a name for each class was expected");
            names[id] = name;
        }

        if (names.Length == 0) throw fields.Error("id2label is empty");
        return (names.Length, names);
    }

    /// <summary>By problem_type, else by the name of the class; null where neither says anything.</summary>
    private static TaskKind? Problem(ConfigFields fields)
    {
        // Heads of classes whose names say nothing of the task are HuggingFace's own way to say it; a base model's, of masked words, is no task of a model that is to be trained.
        string architecture = fields.Strings("architectures", ',').FirstOrDefault() ?? "";
        if (TaskKinds.All.FirstOrDefault(kind => kind.IsSaidByClass && architecture.EndsWith(kind.ClassEnding, StringComparison.Ordinal)) is { } said) return said;
        if (fields.String("problem_type", null) is not { } type) return null;
        TaskKind[] known = [.. TaskKinds.All.Where(kind => kind.ProblemType is not null)];
        return known.FirstOrDefault(kind => kind.ProblemType == type) ?? throw fields.Error($"problem_type '{type}' is not supported; {string.Join(", ", known.Select(kind => kind.ProblemType).Distinct())} are");
    }
}
