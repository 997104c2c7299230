using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>How much each class or label is to count in the loss, before the labels are known: balanced by how often each occurs, or numbers.</summary>
public sealed class ClassWeights
{
    private readonly IReadOnlyDictionary<string, double>? named;
    private readonly IReadOnlyList<double>? inOrder;
    private readonly string source;

    private ClassWeights(string source, IReadOnlyDictionary<string, double>? named, IReadOnlyList<double>? inOrder)
    {
        foreach (double weight in named?.Values ?? inOrder ?? [])
        {
            if (!(weight > 0) || !double.IsFinite(weight)) throw new InputException($"{source}: the weight {weight.ToString(CultureInfo.InvariantCulture)} found, expected a finite number above 0");
        }

        (this.source, this.named, this.inOrder) = (source, named, inOrder);
    }

    /// <summary>
    /// What is rare counts more. A class has the weight n / (classes · its examples), as scikit-learn's <c>balanced</c>, over the classes that occur; a label of several a text the number of texts
    /// without it for each text with it, as PyTorch's documentation of <c>pos_weight</c> has it. What occurs nowhere, or everywhere, has the weight 1.
    /// </summary>
    public static ClassWeights Balanced { get; } = new("balanced", null, null);

    /// <summary>A weight for each label, in the labels' order.</summary>
    /// <exception cref="InputException">One is not a finite number above 0.</exception>
    public static ClassWeights Of(IReadOnlyList<double> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        return new("class weights", null, weights);
    }

    /// <summary>Weights by the labels' names; a label that is not named has the weight 1.</summary>
    /// <exception cref="InputException">One is not a finite number above 0.</exception>
    public static ClassWeights Of(IReadOnlyDictionary<string, double> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        return new("class weights", weights, null);
    }

    /// <summary>Reads <c>balanced</c>; numbers with commas between, in the labels' order; <c>label=number</c> with commas between; or the name of a JSON file with an array or an object of them.</summary>
    /// <returns>Null when the text is nothing of these.</returns>
    /// <exception cref="InputException">The file is damaged, or a weight is not a finite number above 0.</exception>
    public static ClassWeights? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text == "balanced") return Balanced;
        if (text.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || File.Exists(text)) return FromFile(text);
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        (string Name, double? Weight)[] weights = Array.ConvertAll(parts, part => part.LastIndexOf('=') is > 0 and var at ? (part[..at].Trim(), Number(part[(at + 1)..])) : ("", Number(part)));
        if (weights.Any(weight => weight.Weight is null)) return null;
        if (weights.All(weight => weight.Name.Length == 0)) return new("option --class-weights", null, [.. weights.Select(weight => weight.Weight!.Value)]);
        if (weights.Any(weight => weight.Name.Length == 0)) return null;
        if (weights.GroupBy(weight => weight.Name).FirstOrDefault(group => group.Count() > 1)?.Key is { } twice) throw new InputException($"option --class-weights names {Quote.Name(twice)} twice, expected each label once");
        return new("option --class-weights", weights.ToDictionary(weight => weight.Name, weight => weight.Weight!.Value, StringComparer.Ordinal), null);
    }

    /// <summary>The weights in the labels' order.</summary>
    /// <param name="labels">The labels' names.</param>
    /// <param name="balanced">What <see cref="Balanced"/> is for the data.</param>
    /// <exception cref="InputException">There are more or fewer than labels, or a name is none of them.</exception>
    internal IReadOnlyList<double> For(IReadOnlyList<string> labels, Func<IReadOnlyList<double>> balanced)
    {
        if (inOrder is not null) return inOrder.Count == labels.Count ? inOrder : throw new InputException($"{source}: {inOrder.Count} weights found, expected one for each of {labels.Count} labels");
        if (named is null) return balanced();
        double[] weights = new double[labels.Count];
        Array.Fill(weights, 1);
        var seen = new Dictionary<int, string>();
        foreach ((string name, double weight) in named)
        {
            int index = ClassNames.IndexOf(labels, name);
            if (index < 0) throw new InputException($"{source}: a weight for {Quote.Name(name)} found, expected one of {string.Join(", ", labels.Take(20).Select(Quote.Plain))}");
            if (!seen.TryAdd(index, name)) throw new InputException($"{source}: {Quote.Name(seen[index])} and {Quote.Name(name)} are the same label, expected each once");
            weights[index] = weight;
        }

        return weights;
    }

    private static double? Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;

    private static ClassWeights FromFile(string path) => JsonInput.Read(path, "a JSON file was expected", root =>
    {
        double Weight(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number)
            ? number
            : throw new InputException($"{path}: the weight {Quote.Name(value.GetRawText())} found, expected a finite number above 0");
        if (root.ValueKind == JsonValueKind.Array) return new ClassWeights(path, null, [.. root.EnumerateArray().Select(Weight)]);
        if (root.ValueKind != JsonValueKind.Object) throw new InputException($"{path}: {root.ValueKind} found, expected an array of weights or an object of labels and weights");
        var weights = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (JsonProperty label in root.EnumerateObject())
        {
            if (!weights.TryAdd(label.Name, Weight(label.Value))) throw new InputException($"{path}: {Quote.Name(label.Name)} appears twice, expected once");
        }

        return new ClassWeights(path, weights, null);
    });
}
