using System.Globalization;
using LoRA2.Native.Data;
using LoRA2.Native.Experiments.Comparison;

namespace LoRA2.Native.Experiments.Reproduction;

/// <summary>A length of runs other than the paper's. Whatever the paper counts in steps keeps its share of the run.</summary>
/// <param name="Epochs">Passes over the data, or null.</param>
/// <param name="MaxSteps">Steps, or null.</param>
public sealed record RunLength(int? Epochs, int? MaxSteps)
{
    private const int BatchSize = 32;

    /// <summary>Options that may count steps.</summary>
    private static readonly string[] Counted = ["warmup", "budget-warmup", "budget-final"];

    private static readonly Dictionary<string, int> TrainingExamples = new()
    {
        ["CoLA"] = 8551,
        ["SST-2"] = 67349,
        ["MRPC"] = 3668,
        ["QQP"] = 363846,
        ["STS-B"] = 5749,
        ["MNLI"] = 392702,
        ["QNLI"] = 104743,
        ["RTE"] = 2490,
    };

    /// <summary>Whether it is the paper's after all.</summary>
    public bool IsPapers => Epochs is null && MaxSteps is null;

    /// <summary>The options with this length.</summary>
    /// <param name="task">The task, whose size in GLUE makes shares of the paper's steps.</param>
    /// <param name="options">The paper's.</param>
    public IReadOnlyList<RunOption> Applied(GlueTask task, IReadOnlyList<RunOption> options)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(options);
        if (IsPapers) return options;
        int epochs = int.Parse(options.First(option => option.Name == "epochs").Value!, CultureInfo.InvariantCulture);
        double steps = epochs * Math.Ceiling(TrainingExamples[task.Name] / (double)BatchSize);
        IEnumerable<RunOption> shares = options.Where(option => Counted.Contains(option.Name)).Select(option => option with { Value = Share(option.Value!, steps) });
        var length = new List<RunOption> { new("budget-interval", null) };
        if (Epochs is { } passes) length.Add(new("epochs", $"{passes}"));
        if (MaxSteps is { } most) length.Add(new("max-steps", $"{most}"));
        return RunOption.Merge(options, [.. shares], length);
    }

    private static string Share(string value, double steps)
    {
        double number = double.Parse(value, CultureInfo.InvariantCulture);
        return number < 1 ? value : (number / steps).ToString("0.####", CultureInfo.InvariantCulture);
    }
}
