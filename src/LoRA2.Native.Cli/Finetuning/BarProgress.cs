using LoRA2.Native.Experiments.Reporting;
using LoRA2.Native.Training;
using Spectre.Console;

namespace LoRA2.Native.Cli.Finetuning;

/// <summary>A bar on a terminal; evaluations stay above it as lines.</summary>
internal sealed class BarProgress : IProgress<TrainingProgress>
{
    private readonly IAnsiConsole console;
    private readonly ProgressTask task;

    private BarProgress(IAnsiConsole console, ProgressTask task)
    {
        this.console = console;
        this.task = task;
    }

    /// <summary>Shows a bar on the writer's terminal while <paramref name="run"/> reports to it.</summary>
    public static T Show<T>(TextWriter writer, Func<IProgress<TrainingProgress>, T> run)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer), Interactive = InteractionSupport.Yes });
        return console.Progress()
            .AutoClear(false)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context => run(new BarProgress(console, context.AddTask("starting"))));
    }

    public void Report(TrainingProgress value)
    {
        task.MaxValue = value.TotalSteps;
        task.Value = value.Step;
        task.Description = Markup.Escape($"{value.Step}/{value.TotalSteps}  {ProgressText.Of(value)}  {ProgressText.Time(value.Remaining)} left");
        if (value.Evaluation is { } evaluation) console.MarkupLineInterpolated($"{ProgressText.Of(value, evaluation)}");
    }
}
