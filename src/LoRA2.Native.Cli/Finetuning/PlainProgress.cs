using LoRA2.Native.Data;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli.Finetuning;

/// <summary>A line every few steps and at every evaluation, for logs and pipes.</summary>
internal sealed class PlainProgress(TextWriter writer, int every) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value)
    {
        int interval = every > 0 ? every : Math.Max(1, value.TotalSteps / 20);
        if (value.Step % interval == 0 || value.Step == 1 || value.Step == value.TotalSteps) writer.WriteLine($"step {value.Step}/{value.TotalSteps}  {ProgressText.Of(value)}  {ProgressText.Time(value.Remaining)} left");
        if (value.Evaluation is { } evaluation) writer.WriteLine(ProgressText.Of(value, evaluation));
    }
}

/// <summary>A step in words.</summary>
internal static class ProgressText
{
    public static string Of(TrainingProgress value)
    {
        string budget = value.Budget is { } ranks ? $"  budget {ranks}" : "";
        return $"loss {value.Loss:F4}  lr {value.LearningRate:0.00e+0}  {value.TokensPerSecond:N0} tokens/s{budget}";
    }

    public static string Of(TrainingProgress value, Evaluation evaluation) =>
        $"evaluation after step {value.Step} (epoch {value.Epoch:F2}): {string.Join("  ", evaluation.Values.Select(metric => $"{metric.Name} {metric.Value:F4}"))}";

    public static string Time(TimeSpan time) => time.TotalHours >= 1 ? $"{(int)time.TotalHours}:{time:mm\\:ss}" : $"{time:m\\:ss}";
}
