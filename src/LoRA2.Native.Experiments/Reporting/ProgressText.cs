using LoRA2.Native.Data;
using LoRA2.Native.Training;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>A step of a run in words, as lines of a log show it.</summary>
public static class ProgressText
{
    /// <summary>Loss, learning rate, speed and budget.</summary>
    public static string Of(TrainingProgress value)
    {
        string budget = value.Budget is { } ranks ? $"  budget {ranks}" : "";
        return $"loss {value.Loss:F4}  lr {value.LearningRate:0.00e+0}  {value.TokensPerSecond:N0} tokens/s{budget}";
    }

    /// <summary>The metrics of an evaluation.</summary>
    public static string Of(TrainingProgress value, Evaluation evaluation)
    {
        ArgumentNullException.ThrowIfNull(evaluation);
        return $"evaluation after step {value.Step} (epoch {value.Epoch:F2}): {string.Join("  ", evaluation.Values.Select(metric => $"{metric.Name} {metric.Value:F4}{(metric.Note is null ? "" : $" ({metric.Note})")}"))}";
    }

    /// <summary>A span as in 2:05, or 1:02:05.</summary>
    public static string Time(TimeSpan time) => time.TotalHours >= 1 ? $"{(int)time.TotalHours}:{time:mm\\:ss}" : $"{time:m\\:ss}";
}
