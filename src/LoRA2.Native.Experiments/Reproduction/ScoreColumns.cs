using System.Globalization;
using LoRA2.Native.Data;
using LoRA2.Native.Experiments.Comparison;

namespace LoRA2.Native.Experiments.Reproduction;

/// <summary>Our scores beside the paper's, a column a task.</summary>
internal static class ScoreColumns
{
    /// <summary>One row and all its tasks, then the average.</summary>
    public static IReadOnlyList<string> Of(ComparisonTable table, PaperRow paper)
    {
        IReadOnlyList<GlueTask> tasks = table.Plan.Tasks;
        ScoreSummary[][] ours = [.. tasks.Select(task => Ours(table, paper.Name, task))];
        string[] names = [.. tasks.Select(task => task.Name)];
        string average = ours.All(scores => scores.Length > 0) ? ScoreSummary.Hundredths(ours.Average(scores => scores.Average(score => score.Mean))) : ReproducedTable.None;
        double? papers = names.Length == GlueTask.All.Count ? paper.Average : paper.AverageOver(names);
        return [.. tasks.Zip(ours, (task, scores) => Text(scores, paper, task.Name, table.Plan.Seeds.Count)), $"{average} ({Text(papers)})"];
    }

    /// <summary>Accuracy and F1 for QQP, both accuracies for MNLI, the primary metric for the other tasks; none without a run.</summary>
    private static ScoreSummary[] Ours(ComparisonTable table, string method, GlueTask task)
    {
        CellResult[] results = [.. table.Outcomes.Where(outcome => outcome.Cell.Method == method && outcome.Cell.Task == task).Select(outcome => outcome.Result).OfType<CellResult>()];
        if (results.Length == 0) return [];
        int shown = task.Name is "QQP" or "MNLI" ? 2 : 1;
        return [.. Enumerable.Range(0, shown).Select(i => ScoreSummary.Of([.. results.Select(result => result.Metrics(table.Plan.Score)[i].Value)])!)];
    }

    private static string Text(ScoreSummary[] ours, PaperRow paper, string task, int seeds)
    {
        string left = ours.Length == 0 ? ReproducedTable.None : string.Join(", ", ours.Select((score, i) => score.Text(i == ours.Length - 1 ? seeds : 0)));
        return $"{left} ({(paper.Scores.TryGetValue(task, out IReadOnlyList<double>? scores) ? string.Join(", ", scores.Select(score => Text(score))) : ReproducedTable.None)})";
    }

    private static string Text(double? percent) => percent?.ToString("F2", CultureInfo.InvariantCulture) ?? ReproducedTable.None;
}
