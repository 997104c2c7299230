using LoRA2.Native.Data;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>Which evaluation of a run is its score.</summary>
public enum ScoreChoice
{
    /// <summary>The best by the task's primary metric, whose weights are saved.</summary>
    Best,

    /// <summary>The one after the last step.</summary>
    Last,
}

/// <summary>A method under its name in the comparison.</summary>
/// <param name="Name">As in the table.</param>
/// <param name="Options">By the task's name, everything that is given to its runs, whether for all methods or for this one.</param>
public sealed record ComparedMethod(string Name, IReadOnlyDictionary<string, IReadOnlyList<RunOption>> Options)
{
    /// <summary>The name as a folder's.</summary>
    public string FolderName => string.Concat(Name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '=' or '+' ? c : '-'));
}

/// <summary>Methods × tasks × seeds.</summary>
/// <param name="Title">What the results are headed by.</param>
/// <param name="Model">The model's folder, or a name that the runner knows.</param>
/// <param name="Data">The folder with a folder for each task.</param>
/// <param name="Tasks">The tasks.</param>
/// <param name="Seeds">The seeds.</param>
/// <param name="Methods">The methods.</param>
/// <param name="Score">Which evaluation of a run is its score.</param>
public sealed record ComparisonPlan(
    string Title, string Model, string Data, IReadOnlyList<GlueTask> Tasks, IReadOnlyList<ulong> Seeds, IReadOnlyList<ComparedMethod> Methods, ScoreChoice Score)
{
    /// <summary>The runs: every method on every task with the first seed, then with the next.</summary>
    /// <param name="output">The comparison's folder.</param>
    public IReadOnlyList<Cell> Cells(string output)
    {
        ArgumentNullException.ThrowIfNull(output);
        return [
            .. from seed in Seeds from task in Tasks from method in Methods
               select new Cell(method.Name, task, seed, method.Options[task.Name], Path.Combine(output, "cells", method.FolderName, task.Name, $"seed-{seed}")),
        ];
    }
}

/// <summary>One run.</summary>
/// <param name="Method">The method's name in the comparison.</param>
/// <param name="Task">The task.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Options">The method's options for the task.</param>
/// <param name="Folder">What the run writes to.</param>
public sealed record Cell(string Method, GlueTask Task, ulong Seed, IReadOnlyList<RunOption> Options, string Folder)
{
    /// <summary>The run's page as seen from the comparison's folder: <c>cells/METHOD/TASK/seed-N/report.html</c>.</summary>
    public string ReportLink => string.Join('/', [.. Path.GetFullPath(Folder).Split(Path.DirectorySeparatorChar).TakeLast(4).Select(Uri.EscapeDataString), RunFolder.ReportFile]);

    /// <summary>Method, task and seed.</summary>
    public override string ToString() => $"{Method} · {Task.Name} · seed {Seed}";
}
