using LoRA2.Native.Files;

namespace LoRA2.Native.Encoders.Weights;

/// <summary>
/// Tensors of a model's files that take no part in what is computed: layers beyond the config's, and what no family has. Heads of other tasks, poolers and tables that are computed anyway are
/// in many files, and nothing to be said of.
/// </summary>
internal static class UnusedTensors
{
    private const int Named = 3;

    /// <summary>Modules beside the encoder, or at its end, that HuggingFace's classes for other tasks have.</summary>
    private static readonly HashSet<string> OtherHeads =
    [
        "classifier", "cls", "decoder", "discriminator_predictions", "generator_lm_head", "generator_predictions", "head", "lm_head", "lm_predictions", "logits_proj", "mask_predictions", "pooler",
        "pre_classifier", "predictions", "qa_outputs", "score", "sop_classifier", "vocab_layer_norm", "vocab_projector", "vocab_transform",
    ];

    private static readonly string[] Computed = ["position_ids", "token_type_ids", "inv_freq"];

    /// <summary>A sentence that counts them and names the first; null where there is none.</summary>
    /// <param name="path">The file, or one of them.</param>
    /// <param name="unread">What nobody asked for.</param>
    /// <param name="config">The model's.</param>
    public static string? Doubt(string path, IEnumerable<string> unread, EncoderConfig config)
    {
        string[] unused = [.. unread.Where(name => !IsHarmless(name, config))];
        if (unused.Length == 0) return null;
        string names = string.Join(", ", unused.Take(Named).Select(name => Quote.Name(name))) + (unused.Length > Named ? ", …" : "");
        return $"{path}: {(unused.Length == 1 ? "1 tensor is" : $"{unused.Length} tensors are")} not used by the {config.Title} with {(config.Layers == 1 ? "1 layer" : $"{config.Layers} layers")} that {ModelFolder.ConfigFile} describes: {names}";
    }

    private static bool IsHarmless(string name, EncoderConfig config)
    {
        if (Computed.Contains(name[(name.LastIndexOf('.') + 1)..])) return true;
        foreach (string prefix in (string[])["module.", config.Prefix + "."])
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal)) name = name[prefix.Length..];
        }

        return OtherHeads.Contains(name.Split('.')[0]);
    }
}
