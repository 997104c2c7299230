using System.Text;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>A comparison as Markdown.</summary>
public static class ComparisonMarkdown
{
    internal static readonly string[] CostHeaders = ["method", "seconds a run", "tokens/s", "peak memory MB"];

    /// <summary>The whole text.</summary>
    public static string Of(ComparisonTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        ComparisonPlan plan = table.Plan;
        var text = new StringBuilder();
        text.Append($"# {plan.Title}\n\nModel {plan.Model}; data {plan.Data}. {table.Finished} of {table.Outcomes.Count} runs are finished.\n\n");
        text.Append(Scores(table)).Append($"\n{table.ScoreText} {table.ErrorText} The best of each column is bold.\n");
        if (table.Failed.Any())
        {
            text.Append("\n## Failed\n\n");
            foreach (CellOutcome outcome in table.Failed) text.Append($"- {outcome.Cell}: {outcome.Failure}\n");
        }

        var costs = new MarkdownTable(CostHeaders);
        foreach (ComparisonRow row in table.Rows) costs.Add([row.Method.Name, .. Costs(row)]);
        text.Append($"\n## Time and memory\n\n{costs}");
        if (table.HasResumed) text.Append("\nThe times of runs that were interrupted count from where they were resumed (compare.csv says from which step).\n");
        var options = new OptionSummary(plan);
        text.Append($"\n## Options\n\nEvery run: {OptionSummary.Text(options.Everywhere)}.\n\n");
        foreach (OptionSummary.MethodOptions method in options.Methods) text.Append($"- **{method.Name}**: {method.Text}\n");
        text.Append("\n## Machine\n\n");
        foreach (string machine in table.Machines) text.Append($"- {machine}\n");
        return text.ToString();
    }

    /// <summary>The table of scores alone.</summary>
    public static string Scores(ComparisonTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var rows = new MarkdownTable(["method", "adapter", "head", .. table.Plan.Tasks.Select(task => $"{task.Name} ({MetricName(task)})"), "average"]);
        foreach (ComparisonRow row in table.Rows)
        {
            string[] scores = [.. row.Tasks.Select((cell, task) => Bold(cell.Text, table.IsBest(row, task)))];
            rows.Add([row.Method.Name, row.AdapterParameters, row.HeadParameters, .. scores, Bold(row.Average?.Text(table.Plan.Seeds.Count) ?? "—", table.IsBest(row))]);
        }

        return rows.ToString();
    }

    /// <summary>The metric that a task is scored by.</summary>
    internal static string MetricName(Data.GlueTask task) => task.Metrics[0].Name;

    /// <summary>Means over a method's runs: seconds, tokens/s, peak memory.</summary>
    internal static string[] Costs(ComparisonRow row)
    {
        string Mean(Func<CellResult, double> value) => row.MeanOf(value) is { } mean ? $"{mean:N0}" : "—";
        return [Mean(result => result.Seconds), Mean(result => result.TokensPerSecond), Mean(result => result.PeakMemoryMB)];
    }

    private static string Bold(string text, bool best) => best ? $"**{text}**" : text;
}
