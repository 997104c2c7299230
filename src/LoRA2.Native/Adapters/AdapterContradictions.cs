using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;

namespace LoRA2.Native.Adapters;

/// <summary>
/// What a loaded adapter's <c>adapter_config.json</c> says and nothing comes of, or what its folder says otherwise: PEFT passes it over, and whoever wrote it meant something by it.
/// </summary>
internal static class AdapterContradictions
{
    private const int Named = 3;

    /// <summary>Each a sentence.</summary>
    /// <param name="model">The model that the adapter is on.</param>
    /// <param name="settings">As its config says them.</param>
    /// <param name="layers">The layers that it is on.</param>
    /// <param name="folder">Its folder.</param>
    public static IEnumerable<string> Of(SequenceClassifier model, AdapterSettings settings, IReadOnlyList<LinearLayer> layers, string folder)
    {
        string path = Path.Combine(folder, AdapterFolder.ConfigFile);
        if (OtherTask(model, folder, path) is { } task) yield return task;
        if (settings.Method is LoRAMethod lora)
        {
            foreach ((string field, string pattern) in lora.PatternsBeside(layers)) yield return $"{path}: {field} has {Quote.Name(pattern)}, which fits no layer that the adapter is on";
        }

        foreach (string name in settings.Selection.ExclusionsBeside(model)) yield return $"{path}: exclude_modules has {Quote.Name(name)}, which is no layer of this model";
        foreach (int number in settings.Selection.NumbersBeside(layers)) yield return $"{path}: layers_to_transform has {number}, and the adapter is on no layer of that number";
        string[] idle = [.. layers.Where(layer => AlphaOf(settings.Method, layer) == 0).Select(layer => layer.Name)];
        if (idle.Length == 0) yield break;
        bool isAll = idle.Length == layers.Count;
        string where = isAll ? "" : $" for {string.Join(", ", idle.Take(Named))}{(idle.Length > Named ? $" and {idle.Length - Named} others" : "")}";
        yield return $"{path}: {(isAll ? "lora_alpha" : "alpha_pattern")} is 0{where}, so that the adapter's matrices change nothing there; a scale other than 0 was expected";
    }

    private static double? AlphaOf(AdapterMethod method, LinearLayer layer) => method is LoRAMethod lora ? lora.AlphaOf(layer.Name) : (method as LowRankMethod)?.Alpha;

    /// <summary>
    /// How task_type is contradicted: by the task.json beside it, which is followed; or where there is none by the kind of model whose head the adapter's becomes. A model that makes vectors takes no
    /// head, whatever the adapter was trained for.
    /// </summary>
    private static string? OtherTask(SequenceClassifier model, string folder, string path)
    {
        if (AdapterConfigReader.TaskType(path) is not { } said) return null;
        if (TaskDescription.Read(folder)?.Kind is { } kind)
            return kind.PeftTaskType == said ? null : $"{path}: task_type is {Quote.Name(said)}; {TaskDescription.FileName} beside it says {Words(kind)}, and is followed";
        kind = model.Config.Kind;
        if (kind.PeftTaskType == said || kind.IsBareEncoder || AdapterFolder.LabelsIn(folder, model.Config) is null) return null;
        return $"{path}: task_type is {Quote.Name(said)}; the adapter holds a head, which is used as that of {Words(kind)}";
    }

    private static string Words(TaskKind kind) => kind.PeftTaskType is { } type ? $"{kind.Name} ({type})" : kind.Name;
}
