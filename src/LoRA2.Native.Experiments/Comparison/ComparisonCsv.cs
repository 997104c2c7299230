using System.Globalization;
using CsvHelper;
using LoRA2.Native.Data;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>A comparison as comma-separated values: a row for each finished or failed run.</summary>
public static class ComparisonCsv
{
    /// <summary>The text of the file.</summary>
    public static string Of(ComparisonTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        ComparisonPlan plan = table.Plan;
        string[] metrics = [.. plan.Tasks.SelectMany(task => task.Metrics).Distinct().Select(metric => metric.Name)];
        using var text = new StringWriter { NewLine = "\n" };
        using (var csv = new CsvWriter(text, new CsvHelper.Configuration.CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\n" }))
        {
            Row(csv,
            [
                "method", "task", "seed", "metric", "value", "score_of", "step", .. metrics, "last_value", "steps", "adapter_parameters", "head_parameters", "seconds", "resumed_after_step",
                "tokens_per_second", "peak_memory_mb", "threads", "failure", "folder",
            ]);
            foreach (CellOutcome outcome in table.Outcomes)
            {
                if (outcome.Result is { } result) Row(csv, Fields(plan, outcome, result, metrics));
                else if (outcome.Failure is { } failure) Row(csv, Failed(outcome.Cell, failure, metrics.Length));
            }
        }

        return text.ToString();
    }

    private static string[] Fields(ComparisonPlan plan, CellOutcome outcome, CellResult run, string[] metrics)
    {
        (Cell cell, IReadOnlyList<MetricValue> values) = (outcome.Cell, run.Metrics(plan.Score));
        string MetricOf(string name) => values.Any(value => value.Name == name) ? Number(values.First(value => value.Name == name).Value) : "";
        return
        [
            cell.Method, cell.Task.Name, $"{cell.Seed}", values[0].Name, Number(values[0].Value), plan.Score == ScoreChoice.Best ? "best evaluation" : "last evaluation",
            $"{(plan.Score == ScoreChoice.Best ? run.BestStep : run.Steps)}", .. metrics.Select(MetricOf), Number(run.Last[0].Value), $"{run.Steps}", $"{run.AdapterParameters}", $"{run.HeadParameters}",
            Number(run.Seconds), run.ResumedAfter > 0 ? $"{run.ResumedAfter}" : "", Number(run.TokensPerSecond), Number(run.PeakMemoryMB), $"{run.Threads}", "", cell.Folder,
        ];
    }

    private static string[] Failed(Cell cell, string failure, int metrics) =>
    [
        cell.Method, cell.Task.Name, $"{cell.Seed}", ComparisonMarkdown.MetricName(cell.Task), "", "", "", .. Enumerable.Repeat("", metrics), .. Enumerable.Repeat("", 9), failure, cell.Folder,
    ];

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static void Row(CsvWriter csv, string[] fields)
    {
        foreach (string field in fields) csv.WriteField(field);
        csv.NextRecord();
    }
}
