using System.Text.Encodings.Web;
using System.Text.Json;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Encoders;

/// <summary>What a base model's folder decides besides its weights' values: how texts become tokens, and what is computed with them. An adapter carries it, and is nothing to another base.</summary>
/// <param name="path">The folder.</param>
/// <param name="computation">Fields of its config.json, as they are followed: the family's by name, also where the file leaves one to the family; without those that only training asks for.</param>
internal sealed class BaseFolder(string path, IReadOnlyDictionary<string, string> computation)
{
    /// <summary>In the metadata of an adapter's tensors: fields of the base's config.json.</summary>
    private const string ConfigKey = "lora2_base_config";

    /// <summary>In the metadata of an adapter's tensors: <see cref="TokenizerFingerprint"/> of the base's tokenizer, of its files and of what it does, with a hyphen between.</summary>
    private const string TokenizerKey = "lora2_base_tokenizer";

    private readonly Lazy<string?> tokenizerFiles = new(() => TokenizerFingerprint.OfFiles(path));
    private readonly Lazy<string?> tokenizer = new(() => TokenizerFingerprint.OfBehaviour(path));

    /// <summary>What of its config.json contradicts itself, as a sentence; null for nothing.</summary>
    public string? Doubt { get; init; }

    /// <summary>The ids of special tokens in its config.json, by their fields' names.</summary>
    public IReadOnlyDictionary<string, int> SpecialIds { get; init; } = new Dictionary<string, int>();

    /// <summary>What tells its tokenizer from one that does something else, whatever the files; null where there is none.</summary>
    public string? Tokenizer => tokenizer.Value;

    /// <summary>Its config.json.</summary>
    public string ConfigPath => Path.Combine(path, ModelFolder.ConfigFile);

    /// <summary>The first of the files that its vocabulary is read from, or null where it has none.</summary>
    public string? Vocabulary => TokenizerFolder.VocabularyIn(path).FirstOrDefault();

    /// <summary>Reads the tokenizer's files, if nobody has asked for it, before they may become others.</summary>
    public void Remember() => _ = tokenizerFiles.Value;

    /// <summary>Adds it to an adapter's metadata.</summary>
    public void Describe(Dictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            foreach ((string field, string value) in computation.OrderBy(field => field.Key, StringComparer.Ordinal)) json.WriteString(field, value);
            json.WriteEndObject();
        }

        metadata[ConfigKey] = System.Text.Encoding.UTF8.GetString(buffer.ToArray());
        if (tokenizerFiles.Value is { } files) metadata[TokenizerKey] = $"{files}-{(TokenizerFingerprint.OfFiles(path) == files ? tokenizer.Value : "")}";
    }

    /// <summary>What of an adapter's base was not as it is here, each a sentence; none where the adapter doesn't say.</summary>
    /// <param name="folder">The adapter's folder.</param>
    /// <param name="file">The file of its tensors.</param>
    /// <param name="metadata">That file's.</param>
    public IEnumerable<string> Doubts(string folder, string file, IReadOnlyDictionary<string, string> metadata)
    {
        string[] fields = [.. Said(metadata).Where(said => computation.TryGetValue(said.Field, out string? here) && here != said.Value).Select(said => $"{said.Field} was {Words(said.Value)} and is {Words(computation[said.Field])}")];
        if (fields.Length > 0) yield return $"{file}: the adapter was trained on a base model with another {ModelFolder.ConfigFile}: {string.Join(", ", fields)}";
        // What a tokenizer does takes a while to try, so it is asked of other files alone.
        if (metadata.TryGetValue(TokenizerKey, out string? known) && known.Split('-') is [var files, var did] && tokenizerFiles.Value is { } here && here != files && tokenizer.Value is { } found && found != did)
            yield return $"{file}: the adapter was trained with another tokenizer than the one in '{path}' (vocabulary, lower-casing or added tokens)";
        if (Path.GetFullPath(folder) != Path.GetFullPath(path) && TokenizerFingerprint.DifferenceIn(folder, path) is { } name)
            yield return $"{Path.Combine(folder, name)}: the adapter's folder has another tokenizer than '{path}', whose own is used";
    }

    private static string Words(string value) => value.Length == 0 ? "nothing" : Files.Quote.Plain(value);

    /// <summary>The config's fields in an adapter's metadata; none where there are none, or anything else.</summary>
    private static IEnumerable<(string Field, string Value)> Said(IReadOnlyDictionary<string, string> metadata)
    {
        if (!metadata.TryGetValue(ConfigKey, out string? text)) return [];
        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            return [.. json.RootElement.EnumerateObject().Where(field => field.Value.ValueKind == JsonValueKind.String).Select(field => (field.Name, field.Value.GetString()!))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return [];
        }
    }
}
