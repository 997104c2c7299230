using System.CommandLine;
using LoRA2.Native.Adapters;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli;

/// <summary>Where a model and the adapter for it are.</summary>
/// <param name="Model">The model's folder.</param>
/// <param name="Adapter">The adapter's folder, or null.</param>
internal sealed record ModelLocation(string Model, string? Adapter)
{
    /// <summary>Where finetune writes and the other commands look when they are told nothing.</summary>
    public const string DefaultFolder = "lora2-out";

    public static Option<string?> ModelOption() =>
        new("--model") { Description = "HuggingFace model folder; the adapter's base model when left out", HelpName = "DIR" };

    public static Option<string?> AdapterOption() =>
        new("--adapter") { Description = $"adapter folder; ./{DefaultFolder} when neither --model nor --adapter is given", HelpName = "DIR" };

    /// <summary>Finds both from what was given: an adapter names its base model itself.</summary>
    /// <exception cref="InputException">A folder is missing.</exception>
    public static ModelLocation Find(string? model, string? adapter)
    {
        if (model is null && adapter is null)
        {
            if (!Directory.Exists(DefaultFolder))
                throw new InputException($"there is no ./{DefaultFolder}, where finetune would have left an adapter; give --model, --adapter or both");
            // Full fine-tuning leaves a whole model.
            if (!AdapterFolder.Exists(DefaultFolder) && File.Exists(Path.Combine(DefaultFolder, "config.json"))) return new(DefaultFolder, null);
            adapter = DefaultFolder;
        }

        if (adapter is not null && !Directory.Exists(adapter)) throw new InputException($"adapter folder '{adapter}' does not exist");
        return new ModelLocation(Named(model) ?? BaseOf(adapter!), adapter);
    }

    /// <summary>The folder of a model that may be given as the quick start's name.</summary>
    public static string? Named(string? model) => model == QuickStart.ModelName && !Directory.Exists(model) ? QuickStart.Model : model;

    /// <exception cref="InputException">The output is a folder that is read from.</exception>
    public void RequireOther(string output)
    {
        foreach (string? source in (string?[])[Model, Adapter])
        {
            if (source is not null && Path.GetFullPath(output) == Path.GetFullPath(source)) throw new InputException($"--output '{output}' is a folder that is read from; choose another");
        }
    }

    private static string BaseOf(string adapter)
    {
        string config = Path.Combine(adapter, AdapterFolder.ConfigFile);
        string name = AdapterFolder.BaseModelIn(adapter) ?? throw new InputException($"{config}: base_model_name_or_path is missing; give --model");
        string[] places = [Named(name)!, Path.Combine(adapter, name)];
        return Array.Find(places, Directory.Exists)
            ?? throw new InputException($"{config}: base_model_name_or_path is '{name}', and there is no such folder; give --model");
    }
}
