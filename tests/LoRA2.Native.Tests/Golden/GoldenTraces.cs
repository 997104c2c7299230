using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Golden;

/// <summary>What a folder of golden traces was recorded from.</summary>
public enum GoldenKind
{
    /// <summary>An encoder of any family here with a head for classes: config.json and model.safetensors, with inputs, outputs, grads.</summary>
    Encoder,

    /// <summary>A DeBERTa-v3 among them.</summary>
    DebertaV3,

    /// <summary>Inside an encoder's folder: the same trunk under a regression head.</summary>
    Regression,

    /// <summary>An encoder with a head of several labels a text.</summary>
    MultiLabel,

    /// <summary>An encoder with a head of masked language modelling.</summary>
    Masked,

    /// <summary>An encoder with a head for every token.</summary>
    Tokens,

    /// <summary>Inside an encoder's folder: the same weights with distances beyond the table.</summary>
    Clamp,

    /// <summary>Inside an encoder's folder: other inputs of the same model, longer or padded on the left.</summary>
    OtherInputs,

    /// <summary>An adapter saved by PEFT.</summary>
    LoRA,

    /// <summary>An AdaLoRA run of PEFT's.</summary>
    AdaLoRA,

    /// <summary>A LoRA2 run.</summary>
    LoRA2,

    /// <summary>A full fine-tuning run.</summary>
    Training,

    /// <summary>The table of DeBERTa's buckets.</summary>
    Buckets,
}

/// <summary>
/// The golden traces that there are: those in the folder LORA2_GOLDEN names, or else in tests/Fixtures/golden. Found by looking, so that
/// another set with other sizes and names runs too; nothing but the layout is known here.
/// </summary>
internal static class GoldenTraces
{
    /// <summary>The folder of the traces.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The full path of a family's folder, or of a file in it.</summary>
    public static string At(string family, params string[] parts) => Path.GetFullPath(Path.Combine([Root, family, .. parts]));

    /// <summary>The family that "../x" in a file of a family's folder means.</summary>
    public static string BaseOf(string family, string path) => Path.GetRelativePath(Root, At(family, path));

    /// <summary>The families of a kind that have these files, as paths relative to the root, in order.</summary>
    public static IReadOnlyList<string> Families(GoldenKind kind, params string[] files)
    {
        if (!Directory.Exists(Root)) return [];
        IEnumerable<string> found = kind switch
        {
            GoldenKind.Encoder => Heads("ForSequenceClassification", problem => problem != "multi_label_classification"),
            GoldenKind.DebertaV3 => Families(GoldenKind.Encoder).Where(name => EncoderConfigReader.FromFolder(At(name)) is DebertaV2Config { ConvolutionKernel: 0, PositionBiasedInput: false }),
            GoldenKind.Regression => Inside("reg"),
            GoldenKind.MultiLabel => Heads("ForSequenceClassification", problem => problem == "multi_label_classification"),
            GoldenKind.Masked => Heads("ForMaskedLM", _ => true),
            GoldenKind.Tokens => Heads("ForTokenClassification", _ => true),
            GoldenKind.Clamp => Inside("clamp"),
            GoldenKind.OtherInputs => Families(GoldenKind.Encoder).SelectMany(encoder => (string[])[$"{encoder}/long", $"{encoder}/leftpad"]),
            GoldenKind.LoRA => Folders("lora_", "adapter_config.json", "adapter_model.safetensors").Where(IsOnAnEncoder),
            GoldenKind.AdaLoRA => Folders("adalora_", "params.safetensors", "batches.safetensors", "trajectory.json"),
            GoldenKind.LoRA2 => Folders("lora2_", "init.safetensors", "trajectory.json"),
            GoldenKind.Training => Folders("train_", "trajectory.json", "batches.safetensors"),
            _ => File.Exists(At("deberta_log_buckets.json")) ? ["deberta_log_buckets.json"] : [],
        };
        return [.. found.Where(family => HasAll(At(family), files)).Order(StringComparer.Ordinal)];
    }

    /// <summary>Why the tests of a kind are not run, or null when there is a family of it with these files.</summary>
    public static string? NotRun(GoldenKind kind, params string[] files)
    {
        if (Families(kind, files).Count > 0) return null;
        string missing = kind switch
        {
            GoldenKind.Encoder => "a model of a family here",
            GoldenKind.DebertaV3 => "a model of model_type deberta-v2 without convolution and absolute positions",
            GoldenKind.Regression => "a folder reg inside a model's",
            GoldenKind.MultiLabel => "a model of problem_type multi_label_classification",
            GoldenKind.Masked => "a model for masked language modelling",
            GoldenKind.Tokens => "a model for token classification",
            GoldenKind.Clamp => "a folder clamp inside a model's",
            GoldenKind.OtherInputs => "a folder long or leftpad inside a model's",
            GoldenKind.LoRA => "a folder lora_* with an adapter",
            GoldenKind.AdaLoRA => "a folder adalora_* with params.safetensors, batches.safetensors and trajectory.json",
            GoldenKind.LoRA2 => "a folder lora2_* with init.safetensors and trajectory.json",
            GoldenKind.Training => "a folder train_* with trajectory.json and batches.safetensors",
            _ => "a file deberta_log_buckets.json",
        };
        return $"not run: {Root} lacks {missing}{(files.Length > 0 ? $" with {string.Join(", ", files)}" : "")}";
    }

    /// <summary>Those of a family here whose class's name ends so, and of some types of problem.</summary>
    private static IEnumerable<string> Heads(string ending, Func<string, bool> problem) =>
        Folders("", "config.json", "model.safetensors").Where(name =>
        {
            (string ModelType, string Head, string Problem) config = Described(At(name, "config.json"));
            return config.Head.EndsWith(ending, StringComparison.Ordinal) && problem(config.Problem) && EncoderFamilies.Of(config.ModelType) is not null;
        });

    private static IEnumerable<string> Inside(string name) =>
        Families(GoldenKind.Encoder).Where(encoder => HasAll(At(encoder, name), "config.json")).Select(encoder => $"{encoder}/{name}");

    /// <summary>Whether an adapter's base is one of <see cref="GoldenKind.Encoder"/>.</summary>
    private static bool IsOnAnEncoder(string adapter)
    {
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(At(adapter, "adapter_config.json")));
        return Families(GoldenKind.Encoder).Concat(Families(GoldenKind.Tokens)).Contains(BaseOf(adapter, config.RootElement.GetProperty("base_model_name_or_path").GetString()!));
    }

    private static IEnumerable<string> Folders(string prefix, params string[] files) =>
        from folder in Directory.EnumerateDirectories(Root)
        let name = Path.GetFileName(folder)
        where name.StartsWith(prefix, StringComparison.Ordinal) && HasAll(folder, files)
        select name;

    private static bool HasAll(string folder, params string[] files) => files.All(file => File.Exists(Path.Combine(folder, file)));

    private static (string ModelType, string Head, string Problem) Described(string config)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(config));
        string Field(string name) => document.RootElement.TryGetProperty(name, out JsonElement value) ? $"{(value.ValueKind == JsonValueKind.Array ? value[0] : value)}" : "";
        return (Field("model_type"), Field("architectures"), Field("problem_type"));
    }

    private static string FindRoot()
    {
        string? set = Environment.GetEnvironmentVariable("LORA2_GOLDEN");
        if (!string.IsNullOrEmpty(set)) return Path.GetFullPath(set);
        return Path.Combine(SharedData.Repository, "tests", "Fixtures", "golden");
    }
}
