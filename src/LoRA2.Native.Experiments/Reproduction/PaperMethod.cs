using LoRA2.Native.Data;
using LoRA2.Native.Experiments.Comparison;

namespace LoRA2.Native.Experiments.Reproduction;

/// <summary>A method of the paper's experiments: what its runs are told for a task.</summary>
internal static class PaperMethod
{
    private static readonly string[] OfSingularValues = ["rank", "gamma", "init", "singular-value-rate", "target-rank", "budget-warmup", "budget-final", "budget-interval"];

    /// <summary>LoRA2 with its authors' settings, k and some more.</summary>
    public static IReadOnlyList<RunOption> LoRA2(GlueTask task, int outerRank, params RunOption[] more) => RunOption.Merge(Preset(task, "lora2"), [new("outer-rank", $"{outerRank}"), .. more]);

    /// <summary>LoRA2 with r = 8 and nothing pruned: what the paper counts parameters of.</summary>
    public static IReadOnlyList<RunOption> LoRA2Unpruned(GlueTask task, int outerRank, string targets) => RunOption.Merge(
        LoRA2(task, outerRank), [new("rank", "8"), new("targets", targets), .. OfSingularValues.Where(name => name.Contains("budget", StringComparison.Ordinal) || name == "target-rank").Select(name => new RunOption(name, null))]);

    /// <summary>AdaLoRA with its authors' settings.</summary>
    public static IReadOnlyList<RunOption> AdaLoRA(GlueTask task) => Preset(task, "adalora");

    /// <summary>AdaLoRA of r = 8, pruned by half as its authors' scripts do with r = 2.</summary>
    public static IReadOnlyList<RunOption> AdaLoRA8(GlueTask task) => RunOption.Merge(Preset(task, "adalora"), [new("rank", "8"), new("target-rank", "4")]);

    /// <summary>SoRA with its authors' settings and r.</summary>
    public static IReadOnlyList<RunOption> SoRA(GlueTask task, int rank) => RunOption.Merge(Preset(task, "sora"), [new("rank", $"{rank}")]);

    /// <summary>LoRA with AdaLoRA's settings for the task, as far as they are LoRA's too.</summary>
    public static IReadOnlyList<RunOption> LoRA(GlueTask task, int rank) => RunOption.Merge(Shared(task), [new("method", "lora"), new("rank", $"{rank}")]);

    /// <summary>BitFit or full fine-tuning with AdaLoRA's settings for the task but for the learning rate, which is the method's default.</summary>
    public static IReadOnlyList<RunOption> Plain(GlueTask task, string method) => RunOption.Merge(Shared(task), [new("method", method), new("alpha", null), new("learning-rate", null)]);

    private static IReadOnlyList<RunOption> Shared(GlueTask task) => [.. Preset(task, "adalora").Where(option => !OfSingularValues.Contains(option.Name))];

    private static IReadOnlyList<RunOption> Preset(GlueTask task, string method) =>
        [new("method", method), .. GluePreset.Of(task.Name, method)];
}
