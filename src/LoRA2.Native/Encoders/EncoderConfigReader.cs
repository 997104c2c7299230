using System.Text.Json;
using LoRA2.Native.Files;

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
        "name", "tokenizer_class", "id2label", "num_labels", "problem_type", "summary_type", "quantization_config_note", "legacy", "attn_implementation",
        "_attn_implementation_autoset", "_commit_hash", "xla_device", "padding_idx", "tie_word_embeddings", "cross_attention_hidden_size",
    ];

    /// <summary>More than any encoder has; a damaged number is found before anything is allocated for it.</summary>
    private const int MostLayers = 1000;

    /// <summary>Reads <c>config.json</c> in a model folder.</summary>
    /// <exception cref="InputException">It is missing, not JSON, lacks a field, or asks for something not supported.</exception>
    public static EncoderConfig FromFolder(string folder)
    {
        if (!Directory.Exists(folder)) throw new InputException($"model folder '{folder}' does not exist");
        return FromFile(Path.Combine(folder, "config.json"));
    }

    /// <summary>Reads one file.</summary>
    /// <inheritdoc cref="FromFolder" path="/exception"/>
    public static EncoderConfig FromFile(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"'{path}' does not exist; a model folder has a config.json as HuggingFace writes it", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: the file can't be read ({e.Message.TrimEnd('.')}); a config.json was expected", e);
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new InputException($"{path}: a JSON object was expected");
            return Read(new ConfigFields(path, document.RootElement));
        }
        catch (JsonException e)
        {
            throw new InputException($"{path}: not valid JSON (line {e.LineNumber + 1}): {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            // What JsonElement throws for a string that has no UTF-16 form.
            throw new InputException($"{path}: a string is not valid Unicode; JSON in UTF-8 was expected", e);
        }
    }

    private static EncoderConfig Read(ConfigFields fields)
    {
        string type = fields.String("model_type", null) ?? throw fields.Error("model_type is missing; bert, roberta or deberta-v2 was expected");
        EncoderFamily family = type switch
        {
            "bert" => EncoderFamily.Bert,
            "roberta" => EncoderFamily.Roberta,
            "deberta-v2" => EncoderFamily.DebertaV3,
            _ => throw fields.Error($"model_type '{type}' is not supported; bert, roberta and deberta-v2 are"),
        };
        (int labels, string[]? names) = Labels(fields);
        var config = new EncoderConfig
        {
            Family = family,
            VocabularySize = fields.Int("vocab_size", null, 1),
            HiddenSize = fields.Int("hidden_size", null, 1),
            Layers = fields.Int("num_hidden_layers", null, 1, MostLayers),
            Heads = fields.Int("num_attention_heads", null, 1),
            IntermediateSize = fields.Int("intermediate_size", null, 1),
            HiddenActivation = fields.OneOf("hidden_act", "gelu", Activation.Names),
            LayerNormEpsilon = fields.Number("layer_norm_eps", family == EncoderFamily.DebertaV3 ? 1e-7 : 1e-12, 0, 1),
            HiddenDropout = fields.Number("hidden_dropout_prob", 0.1, 0, 0.999),
            AttentionDropout = fields.Number("attention_probs_dropout_prob", 0.1, 0, 0.999),
            ClassifierDropout = fields.OptionalNumber(family == EncoderFamily.DebertaV3 ? "cls_dropout" : "classifier_dropout", 0, 0.999),
            InitializerRange = fields.Number("initializer_range", 0.02, 0, 100),
            PadTokenId = fields.Int("pad_token_id", family == EncoderFamily.Roberta ? 1 : 0, 0),
            MaxPositions = fields.Int("max_position_embeddings", 512, 1),
            TypeVocabularySize = fields.Int("type_vocab_size", family == EncoderFamily.DebertaV3 ? 0 : 2, 0),
            Labels = labels,
            LabelNames = names,
            Regression = Problem(fields),
        };
        if (config.HiddenSize % config.Heads != 0) throw fields.Error($"hidden_size {config.HiddenSize} is not a multiple of num_attention_heads {config.Heads}");
        if (config.PadTokenId >= config.VocabularySize) throw fields.Error($"pad_token_id {config.PadTokenId} is outside vocab_size {config.VocabularySize}");
        config = family == EncoderFamily.DebertaV3 ? Deberta(fields, config) : Absolute(fields, config);
        RequireSizes(fields, config);
        fields.Require("add_cross_attention", false);
        fields.Require("is_decoder", false);
        fields.Require("is_encoder_decoder", false);
        fields.RequireEmpty("pruned_heads");
        fields.RequireEmpty("quantization_config");
        return config with { UnknownFields = fields.Unread(Harmless) };
    }

    /// <summary>Every matrix must have fewer than 2³¹ elements.</summary>
    private static void RequireSizes(ConfigFields fields, EncoderConfig config)
    {
        int span = config.PositionBuckets > 0 ? config.PositionBuckets : config.MaxRelativePositions < 1 ? config.MaxPositions : config.MaxRelativePositions;
        (string Name, long Rows)[] matrices =
        [
            ("vocab_size", config.VocabularySize), ("hidden_size", config.HiddenSize), ("intermediate_size", config.IntermediateSize),
            ("type_vocab_size", config.TypeVocabularySize), ("max_position_embeddings", config.MaxPositions), ("the number of labels", config.Labels),
            ("twice the number of relative positions", config.Family == EncoderFamily.DebertaV3 ? 2L * span : 0),
        ];
        foreach ((string name, long rows) in matrices)
        {
            if (rows * config.HiddenSize > int.MaxValue) throw fields.Error($"{name}, {rows}, times hidden_size {config.HiddenSize} is 2^31 or more; less was expected");
        }
    }

    private static EncoderConfig Absolute(ConfigFields fields, EncoderConfig config)
    {
        if (config.Family == EncoderFamily.Roberta && config.PadTokenId + 1 >= config.MaxPositions)
            throw fields.Error($"max_position_embeddings {config.MaxPositions} leaves no position after pad_token_id {config.PadTokenId}; RoBERTa counts from there");
        fields.OneOf("position_embedding_type", "absolute", ["absolute"]);
        fields.RequireNumber("embedding_size", config.HiddenSize);
        return config;
    }

    private static EncoderConfig Deberta(ConfigFields fields, EncoderConfig config)
    {
        fields.Require("relative_attention", true, fallback: false);
        fields.Require("position_biased_input", false, fallback: true);
        fields.Require("share_att_key", true, fallback: false);
        fields.RequireNumber("conv_kernel_size", 0);
        fields.RequireNumber("type_vocab_size", 0);
        fields.RequireNumber("embedding_size", config.HiddenSize);
        fields.RequireNumber("pooler_hidden_size", config.HiddenSize);
        fields.RequireNumber("attention_head_size", config.HiddenSize / config.Heads);
        fields.Require("talking_head", false);
        string[] kinds = fields.Strings("pos_att_type", '|');
        foreach (string kind in kinds)
        {
            if (kind is not ("c2p" or "p2c")) throw fields.Error($"pos_att_type '{kind}' is not supported; c2p and p2c are");
        }

        string norm = fields.OneOf("norm_rel_ebd", "none", ["none", "layer_norm"]);
        int buckets = fields.Int("position_buckets", -1, -1);
        int relative = fields.Int("max_relative_positions", -1, -1);
        int reach = relative < 1 ? config.MaxPositions : relative;
        // The logarithmic part runs from half the buckets to the largest distance, reach − 1.
        if (buckets == 1 || (buckets > 1 && reach - 1 <= buckets / 2))
            throw fields.Error($"position_buckets {buckets} can't divide {reach} relative positions; at least 2 and less than twice the positions was expected");
        return config with
        {
            MaxRelativePositions = relative,
            PositionBuckets = buckets,
            ContentToPosition = kinds.Contains("c2p"),
            PositionToContent = kinds.Contains("p2c"),
            NormaliseRelativeEmbeddings = norm == "layer_norm",
            PoolerDropout = fields.Number("pooler_dropout", 0, 0, 0.999),
            PoolerActivation = fields.OneOf("pooler_hidden_act", "gelu", Activation.Names),
        };
    }

    private static (int Count, string[]? Names) Labels(ConfigFields fields)
    {
        if (fields.Object("id2label") is not { } map) return (fields.Int("num_labels", 2, 1), null);
        string[] names = new string[map.EnumerateObject().Count()];
        foreach (JsonProperty label in map.EnumerateObject())
        {
            if (!int.TryParse(label.Name, out int id) || id < 0 || id >= names.Length || names[id] is not null)
                throw fields.Error($"id2label has the key '{label.Name}'; 0 … {names.Length - 1}, once each, was expected");
            names[id] = label.Value.ValueKind == JsonValueKind.String ? label.Value.GetString()! : label.Value.GetRawText();
        }

        if (names.Length == 0) throw fields.Error("id2label is empty");
        return (names.Length, names);
    }

    private static bool? Problem(ConfigFields fields) => fields.String("problem_type", null) switch
    {
        null => null,
        "regression" => true,
        "single_label_classification" => false,
        { } other => throw fields.Error($"problem_type '{other}' is not supported; regression and single_label_classification are"),
    };
}
