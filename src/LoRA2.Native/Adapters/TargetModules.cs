using System.Globalization;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Adapters;

/// <summary>
/// Which linear layers get an adapter, by PEFT's rule: a pattern matches a module whose name it is, or ends with after a dot. The paper's names
/// query, key, value, attention.output, intermediate and output stand for one matrix of each layer.
/// </summary>
public static class TargetModules
{
    /// <summary>The paper's six matrices.</summary>
    public static readonly IReadOnlyList<string> AllSix = ["query", "key", "value", "attention.output", "intermediate", "output"];

    private static readonly string[] PaperModules =
        ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "intermediate.dense", "output.dense"];

    /// <summary>The layers that a list of patterns names, in the model's order.</summary>
    /// <exception cref="InputException">A pattern matches nothing; the message lists what there is.</exception>
    public static IReadOnlyList<LinearLayer> Resolve(SequenceClassifier model, IReadOnlyList<string> patterns)
    {
        LinearLayer[] layers = [.. model.AdaptableLayers];
        foreach (string pattern in patterns)
        {
            if (Array.Exists(layers, layer => Matches(layer.Name, pattern))) continue;
            IEnumerable<string> endings = EndingsOf(layers);
            throw new InputException($"target '{pattern}' matches no layer; there are {string.Join(", ", AllSix)}, or by module {string.Join(", ", endings)}");
        }

        return [.. layers.Where(layer => patterns.Any(pattern => Matches(layer.Name, pattern)))];
    }

    /// <summary>
    /// What PEFT's config lists for these layers: module endings where they match no other layer of the model, else the modules' whole names.
    /// </summary>
    public static IReadOnlyList<string> PatternsOf(SequenceClassifier model, IReadOnlyCollection<LinearLayer> layers)
    {
        IReadOnlyList<string> endings = EndingsOf(layers);
        return Resolve(model, endings).Count == layers.Count ? endings : [.. layers.Select(layer => layer.Name)];
    }

    /// <summary>
    /// Where a module is in the encoder: its layer, from 0, and the paper's name of the matrix, or what follows the layer's number where the paper has none. Layer −1:
    /// the name has no layer.
    /// </summary>
    public static (int Layer, string Matrix) PlaceOf(string module)
    {
        string[] parts = module.Split('.');
        int at = Array.IndexOf(parts, "layer");
        int layer = at >= 0 && at + 1 < parts.Length && int.TryParse(parts[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1;
        string matrix = AllSix.FirstOrDefault(name => Matches(module, name)) ?? (layer < 0 ? module : string.Join('.', parts.Skip(at + 2)));
        return (layer, matrix);
    }

    private static IReadOnlyList<string> EndingsOf(IEnumerable<LinearLayer> layers) =>
        [.. layers.Select(layer => string.Join('.', layer.Name.Split('.').SkipWhile(part => part != "layer").Skip(2))).Distinct()];

    private static bool Matches(string module, string pattern)
    {
        int paper = Enumerable.Range(0, AllSix.Count).FirstOrDefault(i => AllSix[i] == pattern, -1);
        if (paper < 0) return module == pattern || module.EndsWith("." + pattern, StringComparison.Ordinal);
        string plain = module.Replace("_proj", "", StringComparison.Ordinal);
        string ending = PaperModules[paper];
        return plain.EndsWith("." + ending, StringComparison.Ordinal) && !(pattern == "output" && plain.EndsWith(".attention.output.dense", StringComparison.Ordinal));
    }
}
