using System.Globalization;
using LoRA2.Native.Data;
using LoRA2.Native.Experiments.Comparison;

namespace LoRA2.Native.Experiments.Reproduction;

/// <summary>Seconds a step of two methods, and their ratio.</summary>
internal static class StepTimes
{
    public static ReproducedTable Of(ComparisonTable table, PaperTable paper)
    {
        string[] methods = [.. paper.Rows.Select(row => row.Paper.Name)];
        return new ReproducedTable(
            paper.Title, ["", .. methods.Select(method => $"{method}, s a step"), "ratio"],
            [.. table.Plan.Tasks.Select(task => Row(task, methods.Select(method => Fastest(table, method, task)).ToArray()))]);
    }

    private static IReadOnlyList<string> Row(GlueTask task, double?[] ours)
    {
        bool known = PaperFigures.StepSeconds.TryGetValue(task.Name, out (double LoRA2, double AdaLoRA) paper);
        return
        [
            task.Name, Cell(ours[0], known ? paper.LoRA2 : null, "F3"), Cell(ours[1], known ? paper.AdaLoRA : null, "F3"), Cell(ours[0] / ours[1], known ? paper.LoRA2 / paper.AdaLoRA : null, "F2"),
        ];
    }

    /// <summary>Seconds of training over the steps they are of, evaluations left out.</summary>
    private static double? Fastest(ComparisonTable table, string method, GlueTask task) => table.Outcomes
        .Where(outcome => outcome.Cell.Method == method && outcome.Cell.Task == task)
        .Select(outcome => outcome.Result is { } run && run.Steps > run.ResumedAfter ? run.TrainingSeconds / (run.Steps - run.ResumedAfter) : (double?)null)
        .Min();

    private static string Cell(double? ours, double? papers, string format) => $"{Text(ours, format)} ({Text(papers, "F2")})";

    private static string Text(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? ReproducedTable.None;
}
