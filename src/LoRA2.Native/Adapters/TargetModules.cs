using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Adapters;

/// <summary>
/// Which linear layers get an adapter, by PEFT's rule: a pattern matches a module whose name it is, or ends with after a dot. The papers' names
/// query, key, value, attention.output, intermediate and output stand for the modules that the encoder's family has for them.
/// </summary>
public static class TargetModules
{
    /// <summary>The papers' six matrices.</summary>
    public static IReadOnlyList<string> AllSix => LayerNames.Papers;

    /// <summary>The layers that a list of patterns names, in the model's order.</summary>
    /// <exception cref="InputException">A pattern matches nothing; the message lists what there is.</exception>
    public static IReadOnlyList<LinearLayer> Resolve(SequenceClassifier model, IReadOnlyList<string> patterns)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(patterns);
        return Matching(model, [], patterns);
    }

    /// <summary>As <see cref="Resolve"/>, of the encoder's layers and others.</summary>
    internal static IReadOnlyList<LinearLayer> Matching(SequenceClassifier model, IReadOnlyList<LinearLayer> others, IReadOnlyList<string> patterns)
    {
        LinearLayer[] layers = [.. model.AdaptableLayers, .. others];
        foreach (string pattern in patterns)
        {
            if (layers.Any(layer => Matches(model.Config, layer.Name, pattern))) continue;
            IEnumerable<string> endings = EndingsOf(model.Config, model.AdaptableLayers);
            throw new InputException($"target '{pattern}' matches no layer; there are {string.Join(", ", AllSix)}, or by module {string.Join(", ", endings)}");
        }

        return [.. layers.Where(layer => patterns.Any(pattern => Matches(model.Config, layer.Name, pattern)))];
    }

    /// <summary>
    /// What PEFT's config lists for these layers: module endings where they match no other layer of the model, else the modules' whole names.
    /// </summary>
    public static IReadOnlyList<string> PatternsOf(SequenceClassifier model, IReadOnlyCollection<LinearLayer> layers)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(layers);
        if (layers.Except(model.AdaptableLayers).Any()) return [.. layers.Select(layer => layer.Name)];
        IReadOnlyList<string> endings = EndingsOf(model.Config, layers);
        return Resolve(model, endings).Count == layers.Count ? endings : [.. layers.Select(layer => layer.Name)];
    }

    private static IReadOnlyList<string> EndingsOf(EncoderConfig config, IEnumerable<LinearLayer> layers) => [.. layers.Select(layer => config.EndingOf(layer.Name)).Distinct()];

    private static bool Matches(EncoderConfig config, string module, string pattern) => config.Names.ModuleOf(pattern) is { } named
        ? config.EndingOf(module) == named
        : module == pattern || module.EndsWith("." + pattern, StringComparison.Ordinal);
}
