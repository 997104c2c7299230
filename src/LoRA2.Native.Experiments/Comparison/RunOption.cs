namespace LoRA2.Native.Experiments.Comparison;

/// <summary>An option of <c>lora2 finetune</c> without its dashes.</summary>
/// <param name="Name">As in <c>learning-rate</c>.</param>
/// <param name="Value">Its value as text, <c>true</c> or <c>false</c> for a flag; null takes back what a more general place gave.</param>
public readonly record struct RunOption(string Name, string? Value)
{
    /// <summary>All options that are left when each level precedes those before it, sorted by name.</summary>
    public static IReadOnlyList<RunOption> Merge(params ReadOnlySpan<IReadOnlyList<RunOption>> levels)
    {
        var merged = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        foreach (IReadOnlyList<RunOption> level in levels)
        {
            foreach (RunOption option in level) merged[option.Name] = option.Value;
        }

        return [.. merged.Where(option => option.Value is not null).Select(option => new RunOption(option.Key, option.Value))];
    }

    /// <summary>Name and value.</summary>
    public override string ToString() => $"{Name} {Value}";
}
