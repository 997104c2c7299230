using System.Text.Json;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Adapters;

/// <summary>
/// Reads PEFT's <c>adapter_config.json</c>. What changes the computation and is not supported is an error that names the field; what is not known at
/// all is remembered, for a warning.
/// </summary>
internal static class AdapterConfigReader
{
    /// <summary>Fields that say how an adapter was made or is trained, not what it computes.</summary>
    private static readonly HashSet<string> Harmless =
    [
        "arrow_config", "auto_mapping", "base_model_name_or_path", "beta1", "beta2", "corda_config", "d_initial", "deltaT", "ensure_weight_tying", "eva_config", "inference_mode",
        "init_weights", "loftq_config", "lora_dropout", "lora_ga_config", "megatron_core", "orth_reg_weight", "peft_version", "projection_prng_key",
        "qalora_group_size", "r", "revision", "runtime_config", "target_r", "task_type", "tfinal", "tinit", "total_step", "vera_dropout",
    ];

    /// <summary>Fields that must be empty or absent.</summary>
    private static readonly string[] Unsupported =
    [
        "alora_invocation_tokens", "layer_replication", "use_bdlora", "megatron_config", "target_parameters", "trainable_token_indices",
    ];

    public static AdapterSettings Read(string path) => Parse(path, Read);

    /// <summary>The modules that are saved whole, as far as PEFT doesn't add them of its own accord.</summary>
    public static string[] SavedModules(string path) => Parse(path, fields => fields.Strings("modules_to_save", ','));

    /// <summary>Which biases PEFT trained and saved: none, all, or lora_only, those of the layers that it adapted.</summary>
    public static string Biases(string path) => Parse(path, fields => fields.OneOf("bias", "none", ["none", "all", "lora_only"]));

    public static string? BaseModel(string path) => Parse(path, fields => fields.String("base_model_name_or_path", null));

    public static string? TaskType(string path) => Parse(path, fields => fields.String("task_type", null));

    private static T Parse<T>(string path, Func<ConfigFields, T> read) => JsonInput.ReadObject(path, "an adapter folder has an adapter_config.json as PEFT writes it", read);

    /// <summary>What the adapter's start took out of the weights. PEFT takes it out again when it loads the adapter; what it can't, or finds by chance, is refused.</summary>
    private static RemovedPart Removed(ConfigFields fields)
    {
        string start = fields.Raw("init_lora_weights") ?? "true";
        if (start is "true" or "false" or "\"eva\"" or "\"orthogonal\"" || start.Equals("\"gaussian\"", StringComparison.OrdinalIgnoreCase)) return RemovedPart.None;
        string name = start.Trim('"');
        if (RemovedParts.Named(name) is { } part) return part;
        string why = name.StartsWith("pissa_niter_", StringComparison.Ordinal) ? "it took a part out of the base model's weights that was found by chance, and nothing says which"
            : name == "loftq" ? "it rounded the base model's weights"
            : name == "corda" ? "it took a part out of the base model's weights that depends on data"
            : "it is not known, and may have changed the base model's weights";
        throw fields.Error($"init_lora_weights = {start} is not supported: {why}; have PEFT convert the adapter when it saves it (path_initial_model_for_weight_conversion)");
    }

    private static AdapterSettings Read(ConfigFields fields)
    {
        string[] types = [.. AdapterMethods.All.Select(method => method.PeftType).OfType<string>().Distinct()];
        fields.OneOf("peft_type", "", types);
        AdapterMethod method = AdapterMethods.All.First(method => method.Reads(fields)).ReadConfig(fields);
        fields.OneOf("bias", "none", ["none", "all", "lora_only"]);
        fields.Require("fan_in_fan_out", false);
        fields.Require("lora_bias", false);
        fields.Require("use_qalora", false);
        RemovedPart removed = Removed(fields);
        foreach (string field in Unsupported) fields.RequireEmpty(field);
        if (method is LoRAMethod lora)
        {
            method = lora.ReadPatterns(fields) is var read && removed == RemovedPart.None ? read : read.Without(removed);
        }
        else
        {
            if (method.HasSingularValues) fields.Raw("rank_pattern");
            else fields.RequireEmpty("rank_pattern");
            fields.RequireEmpty("alpha_pattern");
            if (removed != RemovedPart.None) throw fields.Error($"init_lora_weights = {fields.Raw("init_lora_weights")} is for peft_type LORA");
        }

        TargetSelection selection = TargetSelection.Read(fields, out string[] targets);
        if (targets.Length == 0 && selection is { Pattern: null, AllLinear: false } && method.UsesTargets) throw fields.Error("target_modules is missing or empty");
        string[] saved = fields.Strings("modules_to_save", ',');
        return new AdapterSettings
        {
            Method = method,
            Targets = targets,
            Selection = selection,
            Head = PeftModules.AskForMore(saved) ? HeadTraining.All : HeadTraining.Classifier,
            UnknownFields = fields.Unread(Harmless),
        };
    }
}
