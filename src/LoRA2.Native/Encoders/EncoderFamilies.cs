using LoRA2.Native.Encoders.Families;

namespace LoRA2.Native.Encoders;

/// <summary>The registry of encoder families: each with the sizes of its base model.</summary>
public static class EncoderFamilies
{
    private static readonly Lock Gate = new();

    private static EncoderConfig[] all =
    [
        new BertConfig(),
        new RobertaConfig(),
        new XlmRobertaConfig(),
        new CamembertConfig(),
        new DistilBertConfig(),
        new ElectraConfig(),
        new AlbertConfig(),
        new MPNetConfig(),
        new ModernBertConfig(),
        new DebertaV2Config(),
    ];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<EncoderConfig> All => all;

    /// <summary>The families' model types, for people: "bert, roberta and deberta-v2".</summary>
    internal static string Listed(string conjunction)
    {
        string[] types = [.. All.Select(family => family.ModelType)];
        return $"{string.Join(", ", types[..^1])} {conjunction} {types[^1]}";
    }

    /// <summary>Adds a family, so that folders of its model type are read, from here on and on every thread.</summary>
    /// <exception cref="ArgumentException">There is a family of that model type, or its prefix or the place of its layers is none that modules can be found by.</exception>
    public static void Register(EncoderConfig family)
    {
        ArgumentNullException.ThrowIfNull(family);
        string layer = family.Names.Layer;
        if (family.Prefix.Split('.').Contains("")) throw new ArgumentException($"the prefix '{family.Prefix}' of {family.Title} has a part without a name", nameof(family));
        if (layer.Count(c => c == '#') is not (1 or 2) || layer.Split('.').Count(part => part == "#") != layer.Count(c => c == '#'))
            throw new ArgumentException($"the layers of {family.Title} are at '{layer}'; one or two parts between dots that are # were expected, as in encoder.layer.#", nameof(family));
        lock (Gate)
        {
            if (Of(family.ModelType) is { } other) throw new ArgumentException($"model_type '{family.ModelType}' is {other.Title}'s already", nameof(family));
            all = [.. all, family];
        }
    }

    /// <summary>The family of a model type, or null.</summary>
    public static EncoderConfig? Of(string modelType)
    {
        ArgumentNullException.ThrowIfNull(modelType);
        return All.FirstOrDefault(family => family.ModelType == modelType);
    }
}
