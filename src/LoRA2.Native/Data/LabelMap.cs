using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>What the labels of data are called in a model: <c>pos</c> is <c>POSITIVE</c>, 1 is <c>entailment</c>.</summary>
public sealed class LabelMap
{
    private readonly Dictionary<string, string> names;
    private readonly string source;

    private LabelMap(string source, Dictionary<string, string> names, IReadOnlyList<string> models)
    {
        if (names.Count == 0) throw new InputException($"{source}: there is no label, expected labels of the data and their names in the model");
        if (models.FirstOrDefault(string.IsNullOrWhiteSpace) is not null) throw new InputException($"{source}: a name of a label is empty");
        (this.source, this.names, Names) = (source, names, models);
    }

    /// <summary>A map from labels in data to names in the model, of which each may have several labels.</summary>
    /// <exception cref="InputException">It is empty, or a name is.</exception>
    public LabelMap(IReadOnlyDictionary<string, string> names)
        : this("label map", new Dictionary<string, string>(names ?? throw new ArgumentNullException(nameof(names)), StringComparer.Ordinal), [.. names.Values.Distinct(StringComparer.Ordinal)])
    {
    }

    /// <summary>The model's names, each once: by their numbers where the file has such, else as they first come.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>
    /// Reads a JSON file: an object from the data's labels to the model's names (<c>{"pos": "POSITIVE"}</c>; with numbers for labels it is HuggingFace's <c>id2label</c>), an object from names to
    /// numbers (<c>label2id</c>), or a <c>config.json</c> with <c>id2label</c>. Where labels have numbers, data may have them in the place of the names.
    /// </summary>
    /// <exception cref="InputException">The file is missing, damaged or something else.</exception>
    public static LabelMap Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path)) path = Path.Combine(path, ModelFolder.ConfigFile);
        return JsonInput.Read(path, "a JSON file was expected", root =>
        {
            if (root.ValueKind != JsonValueKind.Object) throw new InputException($"{path}: {root.ValueKind} found, expected an object of labels and names");
            if (root.TryGetProperty("id2label", out JsonElement numbered) && numbered.ValueKind == JsonValueKind.Object) return Of(path, numbered);
            if (root.TryGetProperty("model_type", out _)) throw new InputException($"{path}: the config has no id2label, expected one with the labels' names");
            return Of(path, root);
        });
    }

    /// <summary>The model's name of a label: of the one that is named so, else of the only one that is spelled alike, else the model's own name itself; null when it is none of these.</summary>
    public string? Of(string label)
    {
        ArgumentNullException.ThrowIfNull(label);
        if (names.TryGetValue(label, out string? name)) return name;
        string[] known = [.. names.Keys];
        int index = ClassNames.IndexOf(known, label);
        if (index >= 0) return names[known[index]];
        index = ClassNames.IndexOf(Names, label);
        return index < 0 ? null : Names[index];
    }

    /// <summary>Whether a label of the data is in the map as it is.</summary>
    internal bool Has(string label) => names.ContainsKey(label);

    /// <summary>Refuses a map to names that a model has not.</summary>
    /// <exception cref="InputException">It is such.</exception>
    internal void RequireIn(IReadOnlyList<string> expected)
    {
        foreach ((string label, string name) in names)
        {
            if (ClassNames.IndexOf(expected, name) < 0)
                throw new InputException($"{source}: {Quote.Name(label)} is mapped to {Quote.Name(name)}, expected one of {string.Join(", ", expected.Take(20).Select(Quote.Plain))}");
        }
    }

    /// <summary>What there is to choose from, for messages.</summary>
    internal string Listed => string.Join(", ", names.Keys.Take(20).Select(Quote.Plain));

    private static LabelMap Of(string path, JsonElement map)
    {
        var pairs = new List<(string Label, JsonElement Value)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonProperty pair in map.EnumerateObject())
        {
            if (!seen.Add(pair.Name)) throw new InputException($"{path}: the label {Quote.Name(pair.Name)} appears twice, expected once");
            pairs.Add((pair.Name, pair.Value));
        }

        if (pairs.Count > 0 && pairs.TrueForAll(pair => pair.Value.ValueKind == JsonValueKind.Number)) return ToNumbers(path, pairs);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string label, JsonElement value) in pairs)
            names[label] = value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new InputException($"{path}: {Quote.Name(label)} is mapped to {Quote.Name(value.GetRawText())}, expected the model's name of it as a string");
        // id2label: the numbers say the order.
        bool isNumbered = pairs.TrueForAll(pair => int.TryParse(pair.Label, out int number) && number >= 0 && number < pairs.Count) && names.Values.Distinct(StringComparer.Ordinal).Count() == names.Count;
        IEnumerable<string> order = isNumbered ? names.OrderBy(pair => int.Parse(pair.Key, CultureInfo.InvariantCulture)).Select(pair => pair.Value) : names.Values;
        return new LabelMap(path, names, [.. order.Distinct(StringComparer.Ordinal)]);
    }

    private static LabelMap ToNumbers(string path, List<(string Label, JsonElement Value)> pairs)
    {
        string?[] order = new string?[pairs.Count];
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string label, JsonElement value) in pairs)
        {
            if (!value.TryGetInt32(out int number) || number < 0 || number >= order.Length || order[number] is not null)
                throw new InputException($"{path}: {Quote.Name(label)} has the number {Quote.Name(value.GetRawText())}, expected 0 … {order.Length - 1}, each once");
            if (int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out int plain) && plain != number)
                throw new InputException($"{path}: {Quote.Name(label)} has the number {number}, which may be the label of the data or of the model; expected the model's name of it as a string");
            order[number] = names[label] = label;
        }

        foreach ((int number, string? name) in order.Index()) names.TryAdd(number.ToString(CultureInfo.InvariantCulture), name!);
        return new LabelMap(path, names, [.. order.Select(name => name!)]);
    }
}
