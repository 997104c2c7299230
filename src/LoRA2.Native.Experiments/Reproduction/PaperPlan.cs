using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Experiments.Comparison;

namespace LoRA2.Native.Experiments.Reproduction;

/// <summary>A table of the paper to be reproduced on some tasks from some seeds, perhaps in shorter runs than the paper's.</summary>
/// <param name="Table">Which table or figure.</param>
/// <param name="Model">The model's folder, or null for the paper's figures and parameter counts alone.</param>
/// <param name="Data">The folder with the tasks' folders; null with the model.</param>
/// <param name="Tasks">The tasks.</param>
/// <param name="Seeds">The seeds.</param>
/// <param name="Length">Other than the paper's.</param>
/// <param name="Overrides">Options for every run whose method has them.</param>
public sealed record PaperPlan(
    PaperTable Table, string? Model, string? Data, IReadOnlyList<GlueTask> Tasks, IReadOnlyList<ulong> Seeds, RunLength Length, IReadOnlyList<RunOption> Overrides)
{
    private readonly Dictionary<string, long> counts = [];

    /// <summary>The same as a comparison.</summary>
    public ComparisonPlan Comparison { get; } = new(
        $"{Table.Title} (arXiv 2408.06854)", Model ?? "", Data ?? "", Tasks, Seeds,
        [.. Table.Rows.Select(row => new ComparedMethod(row.Paper.Name, Tasks.ToDictionary(task => task.Name, task => OptionsOf(row, task, Length, Overrides))))], ScoreChoice.Best);

    /// <summary>What differs from the paper's settings, in words.</summary>
    public IEnumerable<string> Differences
    {
        get
        {
            if (Length.Epochs is { } epochs) yield return $"{epochs} epochs";
            if (Length.MaxSteps is { } steps) yield return $"{steps} steps";
            if (!Length.IsPapers) yield return "warm-up and budget with the same shares of the run as in the paper's";
            foreach (RunOption option in Overrides) yield return $"{option}";
        }
    }

    /// <summary>The adapter parameters of a row's runs in a model of this shape: one number, or the least and the greatest of the tasks.</summary>
    public string ParametersOf(PaperExperiment row, EncoderConfig shape, ICellRunner runner)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(runner);
        long[] all = [.. Tasks.Select(task => Counted(shape, runner.AdapterOf(task, OptionsOf(row, task, Length, Overrides))))];
        return all.Min() == all.Max() ? $"{all[0]:N0}" : $"{all.Min():N0} – {all.Max():N0}";
    }

    private long Counted(EncoderConfig shape, AdapterSettings settings)
    {
        string key = $"{shape.ModelType} {shape.Layers} {shape.HiddenSize} {shape.IntermediateSize} {shape.VocabularySize} {settings.Method} {string.Join(',', settings.Targets)}";
        if (!counts.TryGetValue(key, out long count)) counts[key] = count = ParameterCounts.Of(shape, settings);
        return count;
    }

    private static IReadOnlyList<RunOption> OptionsOf(PaperExperiment row, GlueTask task, RunLength length, IReadOnlyList<RunOption> overrides)
    {
        IReadOnlyList<RunOption> options = length.Applied(task, RunOption.Merge(row.Options(task)));
        AdapterMethod method = AdapterMethods.Named(options.First(option => option.Name == "method").Value!);
        return RunOption.Merge(options, [.. overrides.Where(option => IsFor(method, option.Name))]);
    }

    /// <summary>Whether finetune takes an option with a method.</summary>
    private static bool IsFor(AdapterMethod method, string option) => option switch
    {
        "targets" => method.UsesTargets,
        "head" => method.PeftType is not null,
        "target-rank" or "budget-warmup" or "budget-final" or "budget-interval" => method.HasSingularValues,
        _ => method.Options.Any(own => own.Name == option) || !AdapterMethods.All.Any(other => other.Options.Any(own => own.Name == option)),
    };
}
