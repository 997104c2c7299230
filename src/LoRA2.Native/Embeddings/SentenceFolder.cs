using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Embeddings;

/// <summary>
/// A sentence-transformers folder: <c>modules.json</c> lists what a text goes through, a transformer, a pooling and perhaps a normalisation, each with its own folder. A folder
/// without that file is read as sentence-transformers reads it: the mean of all tokens, not normalised. A module that is not known is an error that names it.
/// </summary>
/// <param name="Transformer">The folder of the encoder and tokenizer.</param>
/// <param name="Settings">What the files say.</param>
/// <param name="Width">The width of the hidden states that the pooling's config expects, and the file that says so; null where nothing does.</param>
public sealed record SentenceFolder(string Transformer, EmbeddingSettings Settings, (int Width, string File)? Width)
{
    /// <summary>The file that lists the modules.</summary>
    public const string ModulesFile = "modules.json";

    /// <summary>The file of prompts.</summary>
    public const string ConfigFile = "config_sentence_transformers.json";

    /// <summary>The file of the pooling's settings, in its folder.</summary>
    public const string PoolingFile = "config.json";

    /// <summary>The file of the transformer's settings, under its usual name.</summary>
    public const string TransformerFile = "sentence_bert_config.json";

    private const string PoolingFolder = "1_Pooling";
    private const string NormalizeFolder = "2_Normalize";

    private static readonly string[] TransformerFiles =
    [
        TransformerFile, "sentence_roberta_config.json", "sentence_distilbert_config.json", "sentence_camembert_config.json", "sentence_albert_config.json",
        "sentence_xlm-roberta_config.json", "sentence_xlnet_config.json",
    ];

    /// <summary>Whether a folder is one.</summary>
    public static bool Exists(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return File.Exists(Path.Combine(folder, ModulesFile));
    }

    /// <summary>Reads a folder.</summary>
    /// <exception cref="InputException">A file is missing or damaged, or asks for something not supported.</exception>
    public static SentenceFolder Read(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        EmbeddingSettings settings = OfPrompts(Path.Combine(folder, ConfigFile));
        if (!Exists(folder)) return new SentenceFolder(folder, OfTransformer(folder, settings), null);
        Module[] modules = Modules(Path.Combine(folder, ModulesFile), folder);
        string transformer = modules[0].Folder;
        (settings, int width) = OfPooling(Path.Combine(modules[1].Folder, PoolingFile), OfTransformer(transformer, settings));
        return new SentenceFolder(transformer, settings with { Normalises = modules.Length > 2 }, (width, Path.Combine(modules[1].Folder, PoolingFile)));
    }

    /// <summary>
    /// What makes a sentence-transformers folder of a model's: the pooling's and the normalisation's folders, written at once, and files for the folder itself, by name.
    /// </summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="settings">How a text becomes a vector.</param>
    /// <param name="width">The width of the hidden states.</param>
    internal static IReadOnlyDictionary<string, byte[]> Write(string folder, EmbeddingSettings settings, int width)
    {
        Directory.CreateDirectory(Path.Combine(folder, PoolingFolder));
        var pooling = new JsonObject { ["word_embedding_dimension"] = width };
        foreach ((Pooling way, string field) in PoolingNames.Fields) pooling[field] = way == settings.Pooling;
        pooling["include_prompt"] = true;
        AtomicFile.Write(Path.Combine(folder, PoolingFolder, PoolingFile), stream => stream.Write(ModelFolder.Text(pooling)));
        var modules = new JsonArray(Entry(0, "", "Transformer"), Entry(1, PoolingFolder, "Pooling"));
        if (settings.Normalises)
        {
            Directory.CreateDirectory(Path.Combine(folder, NormalizeFolder));
            modules.Add((JsonNode)Entry(2, NormalizeFolder, "Normalize"));
        }

        var prompts = new JsonObject();
        foreach ((string name, string prompt) in settings.Prompts) prompts[name] = prompt;
        return new Dictionary<string, byte[]>
        {
            [ModulesFile] = ModelFolder.Text(modules),
            [TransformerFile] = ModelFolder.Text(new JsonObject { ["max_seq_length"] = settings.MaxLength, ["do_lower_case"] = settings.Lowercases }),
            [ConfigFile] = ModelFolder.Text(new JsonObject { ["prompts"] = prompts, ["default_prompt_name"] = settings.DefaultPrompt }),
        };
    }

    private static JsonObject Entry(int number, string path, string type) =>
        new() { ["idx"] = number, ["name"] = number.ToString(CultureInfo.InvariantCulture), ["path"] = path, ["type"] = $"sentence_transformers.models.{type}" };

    private static Module[] Modules(string path, string folder)
    {
        Module[] modules = JsonObjects.ReadArray(path, (fields, i) =>
        {
            string type = fields.String("type", null) ?? throw fields.Error($"module {i} has no type");
            return new Module(KindOf(type) ?? throw fields.Error($"module {i} is a '{type}'; Transformer, Pooling and Normalize of sentence_transformers are supported"), Below(folder, fields, i));
        });
        string[] kinds = [.. modules.Select(module => module.Kind)];
        if (kinds is not (["Transformer", "Pooling"] or ["Transformer", "Pooling", "Normalize"]))
            throw new InputException($"{path}: the modules are {(kinds.Length == 0 ? "none" : string.Join(", ", kinds))}; Transformer, Pooling and perhaps Normalize were expected, in this order");
        return modules;
    }

    /// <summary>The class's name of a module of the library's own, wherever its version has put it.</summary>
    private static string? KindOf(string type)
    {
        if (!type.StartsWith("sentence_transformers.", StringComparison.Ordinal)) return null;
        string name = type[(type.LastIndexOf('.') + 1)..];
        return name is "Transformer" or "Pooling" or "Normalize" ? name : null;
    }

    /// <summary>A module's folder, which is the sentence-transformers folder or one within.</summary>
    private static string Below(string folder, ConfigFields fields, int module)
    {
        string path = fields.String("path", "")!;
        bool inside = !Path.IsPathRooted(path) && !path.Contains('\0', StringComparison.Ordinal) && !path.Split('/', '\\').Contains("..");
        return inside ? Path.Combine(folder, path) : throw fields.Error($"module {module} has the path {Quote.Name(path)}, which is outside the folder");
    }

    private static EmbeddingSettings OfTransformer(string folder, EmbeddingSettings settings)
    {
        if (TransformerFiles.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is not { } path) return settings;
        return JsonObjects.Read(path, fields => settings with { MaxLength = fields.OptionalInt("max_seq_length", 1), Lowercases = fields.Bool("do_lower_case", false) });
    }

    private static (EmbeddingSettings Settings, int Width) OfPooling(string path, EmbeddingSettings settings) => JsonObjects.Read(path, fields =>
    {
        fields.Require("include_prompt", true);
        int width = fields.OptionalInt("embedding_dimension", 1) ?? fields.Int("word_embedding_dimension", null, 1);
        Pooling[] chosen = [.. PoolingNames.Fields.Where(way => fields.Bool(way.Field, false)).Select(way => way.Pooling)];
        if (fields.IsText("pooling_mode")) chosen = [PoolingNames.Named(fields.OneOf("pooling_mode", "mean", [.. PoolingNames.All]))];
        if (chosen.Length != 1) throw fields.Error($"the pooling is {(chosen.Length == 0 ? "none" : string.Join(" and ", chosen.Select(PoolingNames.NameOf)))}; one of {string.Join(", ", PoolingNames.All)} was expected");
        return (settings with { Pooling = chosen[0] }, width);
    });

    private static EmbeddingSettings OfPrompts(string path)
    {
        if (!File.Exists(path)) return new EmbeddingSettings();
        return JsonObjects.Read(path, fields =>
        {
            Dictionary<string, string> prompts = [];
            foreach (JsonProperty prompt in fields.Object("prompts")?.EnumerateObject() ?? default(JsonElement.ObjectEnumerator))
                prompts[prompt.Name] = prompt.Value.ValueKind == JsonValueKind.String ? prompt.Value.GetString()! : throw fields.Error($"prompt '{prompt.Name}' is no string");
            string? usual = fields.String("default_prompt_name", null);
            if (usual is not null && !prompts.ContainsKey(usual)) throw fields.Error($"default_prompt_name is {Quote.Name(usual)}; there is no such prompt");
            return new EmbeddingSettings { Prompts = prompts, DefaultPrompt = usual };
        });
    }

    private readonly record struct Module(string Kind, string Folder);
}
