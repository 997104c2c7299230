using System.Globalization;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Adapters;

/// <summary>
/// Which modules a PEFT config adapts, by PEFT's own rule (<c>check_target_module_exists</c>): a list of names or endings, which <c>layers_to_transform</c> may narrow, or a
/// regular expression of the whole name, or "all-linear"; without what <c>exclude_modules</c> takes out.
/// </summary>
internal sealed record TargetSelection
{
    /// <summary>Only a list.</summary>
    public static TargetSelection Plain { get; } = new();

    /// <summary>A regular expression in place of the list, or null.</summary>
    public ModulePattern? Pattern { get; init; }

    /// <summary>Whether every linear layer is meant.</summary>
    public bool AllLinear { get; init; }

    /// <summary>layers_to_transform, or null for all.</summary>
    public IReadOnlyList<int>? Layers { get; init; }

    /// <summary>layers_pattern: names of the lists that the layers are numbered in; empty for any.</summary>
    public IReadOnlyList<string> LayerLists { get; init; } = [];

    /// <summary>exclude_modules as a list.</summary>
    public IReadOnlyList<string> Excluded { get; init; } = [];

    /// <summary>exclude_modules as a regular expression.</summary>
    public ModulePattern? ExcludedPattern { get; init; }

    public bool IsPlain => Pattern is null && !AllLinear && Layers is null && Excluded.Count == 0 && ExcludedPattern is null;

    /// <summary>Reads what a config says of its targets.</summary>
    /// <param name="fields">The config.</param>
    /// <param name="targets">The list of target_modules; empty where there is none.</param>
    public static TargetSelection Read(ConfigFields fields, out string[] targets)
    {
        targets = [];
        TargetSelection selection = Plain;
        if (fields.IsText("target_modules"))
        {
            string text = fields.String("target_modules", null)!;
            selection = text == "all-linear" ? selection with { AllLinear = true } : selection with { Pattern = ModulePattern.Whole(fields, "target_modules", text) };
        }
        else
        {
            targets = fields.Strings("target_modules", ',');
        }

        if (fields.IsText("exclude_modules")) selection = selection with { ExcludedPattern = ModulePattern.Whole(fields, "exclude_modules", fields.String("exclude_modules", null)!) };
        else selection = selection with { Excluded = fields.Strings("exclude_modules", ',') };
        int[] layers = fields.Ints("layers_to_transform");
        return selection with { Layers = layers.Length == 0 ? null : layers, LayerLists = fields.IsText("layers_pattern") ? [fields.String("layers_pattern", null)!] : fields.Strings("layers_pattern", ',') };
    }

    /// <summary>The layers, in the model's order; of the head those that the file adapts, for PEFT saves it whole as a rule.</summary>
    /// <exception cref="InputException">There are none.</exception>
    public IReadOnlyList<LinearLayer> Resolve(SequenceClassifier model, IReadOnlyList<string> targets, Func<LinearLayer, bool> isAdapted, string path)
    {
        bool isListed = Pattern is null && !AllLinear;
        LinearLayer[] head = [.. model.Head.Linears.Where(isAdapted)];
        HashSet<LinearLayer> listed = isListed ? [.. TargetModules.Matching(model, head, targets)] : [];
        bool Matches(LinearLayer layer)
        {
            if (AllLinear) return layer.Name is not ("classifier" or "score");
            return Pattern?.IsMatch(layer.Name) ?? (listed.Contains(layer) && (targets.Contains(layer.Name) || IsInLayers(layer.Name)));
        }

        LinearLayer[] found = [.. model.AdaptableLayers.Concat(head).Where(layer => !IsExcluded(layer.Name) && Matches(layer))];
        return found.Length > 0 ? found : throw new InputException($"{path}: target_modules, exclude_modules and layers_to_transform together leave no layer of this model");
    }

    /// <summary>What exclude_modules has that none of a model's layers is called.</summary>
    public IEnumerable<string> ExclusionsBeside(SequenceClassifier model)
    {
        LinearLayer[] all = [.. model.AdaptableLayers, .. model.Head.Linears];
        if (ExcludedPattern is not null && !all.Any(layer => ExcludedPattern.IsMatch(layer.Name))) yield return ExcludedPattern.Text;
        foreach (string name in Excluded.Where(name => !all.Any(layer => IsNamed(layer.Name, name)))) yield return name;
    }

    private bool IsExcluded(string module) => (ExcludedPattern?.IsMatch(module) ?? false) || Excluded.Any(name => IsNamed(module, name));

    private static bool IsNamed(string module, string name) => module == name || module.EndsWith("." + name, StringComparison.Ordinal);

    /// <summary>The numbers of layers_to_transform that none of some layers has.</summary>
    public IEnumerable<int> NumbersBeside(IReadOnlyList<LinearLayer> layers) => Layers?.Distinct().Except(layers.Select(layer => NumberOf(layer.Name)).OfType<int>()) ?? [];

    private bool IsInLayers(string module) => Layers is null || (NumberOf(module) is { } number && Layers.Contains(number));

    private int? NumberOf(string module)
    {
        string[] parts = module.Split('.');
        // The last number that is below a list, and below one of the named lists where there are names.
        for (int i = parts.Length - 2; i >= 1; i--)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out int number)) continue;
            if (LayerLists.Count == 0 || LayerLists.Contains(parts[i - 1])) return number;
        }

        return null;
    }
}
