using LoRA2.Native.Experiments.Comparison;
using Spectre.Console;

namespace LoRA2.Native.Cli.Comparison;

/// <summary>A line when a cell ends, for logs and pipes.</summary>
internal sealed class PlainComparisonProgress(TextWriter writer) : IComparisonProgress
{
    private readonly Lock writing = new();

    public void Note(string text)
    {
        lock (writing) writer.WriteLine(text);
    }

    public void Started(Cell cell)
    {
    }

    public void Moved(Cell cell, int step, int total)
    {
    }

    public void Ended(Cell cell, string text, int done, int total) => Note($"[{done}/{total}] {text}");
}

/// <summary>A bar for all cells and one for each that runs; what has ended stays above them as lines.</summary>
internal sealed class BarComparisonProgress : IComparisonProgress
{
    private readonly Lock writing = new();
    private readonly Dictionary<Cell, ProgressTask> running = [];
    private readonly IAnsiConsole console;
    private readonly ProgressContext context;
    private readonly ProgressTask all;

    private BarComparisonProgress(IAnsiConsole console, ProgressContext context)
    {
        this.console = console;
        this.context = context;
        all = context.AddTask("all runs");
    }

    /// <summary>Shows bars on the writer's terminal while <paramref name="run"/> reports to them.</summary>
    public static T Show<T>(TextWriter writer, Func<IComparisonProgress, T> run)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer), Interactive = InteractionSupport.Yes });
        return console.Progress()
            .AutoClear(false)
            .HideCompleted(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context => run(new BarComparisonProgress(console, context)));
    }

    public void Note(string text)
    {
        lock (writing) console.MarkupLineInterpolated($"{text}");
    }

    public void Started(Cell cell)
    {
        lock (writing) running[cell] = context.AddTask(Markup.Escape($"{cell}"));
    }

    public void Moved(Cell cell, int step, int total)
    {
        lock (writing)
        {
            if (!running.TryGetValue(cell, out ProgressTask? task)) return;
            task.MaxValue = total + 1;
            task.Value = step;
            task.Description = Markup.Escape($"{cell}  {step}/{total}");
        }
    }

    public void Ended(Cell cell, string text, int done, int total)
    {
        lock (writing)
        {
            if (running.Remove(cell, out ProgressTask? task)) task.StopTask();
            if (task is not null) task.Value = task.MaxValue;
            all.MaxValue = total;
            all.Value = done;
            all.Description = $"{done}/{total} runs";
            console.MarkupLineInterpolated($"{text}");
        }
    }
}
