using LoRA2.Native.Data;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>A comparison's results: a row for each method, a column for each task.</summary>
public sealed class ComparisonTable
{
    private ComparisonTable(ComparisonPlan plan, IReadOnlyList<CellOutcome> outcomes)
    {
        Plan = plan;
        Outcomes = outcomes;
        Rows = [.. plan.Methods.Select(method => ComparisonRow.Of(plan, method, [.. outcomes.Where(outcome => outcome.Cell.Method == method.Name)]))];
    }

    /// <summary>What was to be run.</summary>
    public ComparisonPlan Plan { get; }

    /// <summary>What became of each run.</summary>
    public IReadOnlyList<CellOutcome> Outcomes { get; }

    /// <summary>The methods, in the plan's order.</summary>
    public IReadOnlyList<ComparisonRow> Rows { get; }

    /// <summary>The runs that failed.</summary>
    public IEnumerable<CellOutcome> Failed => Outcomes.Where(outcome => outcome.Failure is not null);

    /// <summary>Whether a run was interrupted and resumed.</summary>
    public bool HasResumed => Outcomes.Any(outcome => outcome.Result is { ResumedAfter: > 0 });

    /// <summary>Runs that are finished.</summary>
    public int Finished => Outcomes.Count(outcome => outcome.Result is not null);

    /// <summary>The table of what there is so far.</summary>
    public static ComparisonTable Of(ComparisonPlan plan, IReadOnlyList<CellOutcome> outcomes)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(outcomes);
        return new(plan, outcomes);
    }

    /// <summary>Whether a row has the best mean of a task.</summary>
    public bool IsBest(ComparisonRow row, int task)
    {
        ArgumentNullException.ThrowIfNull(row);
        return row.Tasks[task].Score is { } score && Rows.All(other => !(other.Tasks[task].Score?.Mean > score.Mean));
    }

    /// <summary>Whether a row has the best average.</summary>
    public bool IsBest(ComparisonRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return row.Average is { } average && Rows.All(other => !(other.Average?.Mean > average.Mean));
    }

    /// <summary>What the scores are.</summary>
    public string ScoreText => Plan.Score == ScoreChoice.Best
        ? "Score × 100 on the development set, of each run's best evaluation there: the weights that are saved are chosen by the same set, so it is a little optimistic, for every method alike."
        : "Score × 100 on the development set, after each run's last step.";

    /// <summary>How the numbers were made of the runs.</summary>
    public string ErrorText =>
        $"Mean ± standard error over {(Plan.Seeds.Count == 1 ? "one seed" : $"{Plan.Seeds.Count} seeds")} ({string.Join(", ", Plan.Seeds)}). The average's standard error is that of the tasks' means, taken as independent.";

    /// <summary>The machines that runs were made on, in words.</summary>
    public IReadOnlyList<string> Machines => [.. Outcomes.Where(outcome => outcome.Result is not null).Select(outcome => $"{outcome.Result!.Machine}; {(outcome.Result.Threads == 1 ? "one thread" : $"{outcome.Result.Threads} threads")} a run").Distinct()];
}

/// <summary>A method's results.</summary>
public sealed record ComparisonRow
{
    /// <summary>The method.</summary>
    public required ComparedMethod Method { get; init; }

    /// <summary>The method's scores, in the order of the plan's tasks.</summary>
    public required IReadOnlyList<ComparisonCell> Tasks { get; init; }

    /// <summary>All finished runs.</summary>
    public required IReadOnlyList<CellResult> Results { get; init; }

    /// <summary>Mean of the tasks' means; null when a task has no score yet.</summary>
    public required ScoreSummary? Average { get; init; }

    /// <summary>Parameters trained in the adapter: one number, or the least and the greatest of the runs.</summary>
    public string AdapterParameters => Range(result => result.AdapterParameters);

    /// <summary>The same of the head.</summary>
    public string HeadParameters => Range(result => result.HeadParameters);

    internal static ComparisonRow Of(ComparisonPlan plan, ComparedMethod method, IReadOnlyList<CellOutcome> outcomes)
    {
        ComparisonCell[] tasks = [.. plan.Tasks.Select(task => ComparisonCell.Of(plan, task, [.. outcomes.Where(outcome => outcome.Cell.Task == task)]))];
        CellResult[] results = [.. outcomes.Select(outcome => outcome.Result).OfType<CellResult>()];
        return new ComparisonRow { Method = method, Tasks = tasks, Results = results, Average = AverageOf(tasks) };
    }

    /// <summary>The mean over all runs; null without one.</summary>
    public double? MeanOf(Func<CellResult, double> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Results.Count == 0 ? null : Results.Average(value);
    }

    private static ScoreSummary? AverageOf(ComparisonCell[] tasks)
    {
        if (tasks.Any(task => task.Score is null)) return null;
        double? error = tasks.All(task => task.Score!.StandardError is not null) ? Math.Sqrt(tasks.Sum(task => Math.Pow(task.Score!.StandardError!.Value, 2))) / tasks.Length : null;
        return new ScoreSummary(tasks.Min(task => task.Score!.Count), tasks.Average(task => task.Score!.Mean), error);
    }

    private string Range(Func<CellResult, long> count)
    {
        if (Results.Count == 0) return "—";
        (long least, long most) = (Results.Min(count), Results.Max(count));
        return least == most ? $"{least:N0}" : $"{least:N0} – {most:N0}";
    }
}

/// <summary>A method's scores on a task.</summary>
/// <param name="Task">The task.</param>
/// <param name="Scores">The finished runs' scores.</param>
/// <param name="Score">Their mean, or null without a run.</param>
/// <param name="Asked">Runs that were asked for.</param>
/// <param name="Failed">Runs that failed.</param>
public sealed record ComparisonCell(GlueTask Task, IReadOnlyList<(ulong Seed, double Value)> Scores, ScoreSummary? Score, int Asked, int Failed)
{
    internal static ComparisonCell Of(ComparisonPlan plan, GlueTask task, IReadOnlyList<CellOutcome> outcomes)
    {
        (ulong, double Value)[] scores = [.. outcomes.Where(outcome => outcome.Result is not null).Select(outcome => (outcome.Cell.Seed, outcome.Result!.Score(plan.Score)))];
        return new ComparisonCell(task, scores, ScoreSummary.Of([.. scores.Select(score => score.Value)]), plan.Seeds.Count, outcomes.Count(outcome => outcome.Failure is not null));
    }

    /// <summary>Mean and standard error as a table shows them.</summary>
    public string Text => Score?.Text(Asked) ?? (Failed > 0 ? "failed" : "—");
}
