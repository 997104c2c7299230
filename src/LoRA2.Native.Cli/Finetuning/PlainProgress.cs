using LoRA2.Native.Experiments.Reporting;
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
