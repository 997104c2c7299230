using System.Xml.Linq;
using LoRA2.Native.Experiments.Reporting;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>A comparison as one self-contained page.</summary>
public static class ComparisonPage
{
    /// <summary>The file's bytes.</summary>
    public static byte[] Of(ComparisonTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        ComparisonPlan plan = table.Plan;
        XElement header = Html.Element(
            "header", Html.Element("p", Html.Class("kicker"), "lora2 compare"), Html.Element("h1", plan.Title),
            Html.Element("p", Html.Class("lead"), $"Model {plan.Model}; data {plan.Data}. {table.Finished} of {table.Outcomes.Count} runs are finished."));
        return Page.Of(plan.Title, [header, .. Sections(table)]);
    }

    /// <summary>Everything but the title.</summary>
    internal static IEnumerable<XElement> Sections(ComparisonTable table)
    {
        foreach (CellOutcome outcome in table.Failed) yield return Html.Element("p", Html.Class("alert"), $"{outcome.Cell} failed: {outcome.Failure}");
        yield return Html.Section("Scores", Scores(table), Html.Element("p", $"{table.ScoreText} {table.ErrorText} The best of each column is bold."));
        yield return Html.Section(
            "Seeds", Html.Element("p", "A dot is a run, the upright line the mean, the band its standard error."),
            Html.Element("div", Html.Class("grid2"), Enumerable.Range(0, table.Plan.Tasks.Count).Select(task => StripPlot.Of(table, task))));
        yield return Html.Section(
            "Time and memory", Costs(table),
            table.HasResumed ? Html.Element("p", "The times of runs that were interrupted count from where they were resumed; compare.csv says from which step.") : null);
        yield return Html.Section("Runs", Runs(table));
        yield return Options(table.Plan);
        yield return Html.Section("Machine", Html.Element("ul", table.Machines.Select(machine => Html.Element("li", machine))));
    }

    private static XElement Scores(ComparisonTable table)
    {
        string[] headers = ["method", "adapter parameters", "head parameters", .. table.Plan.Tasks.Select(task => $"{task.Name} ({ComparisonMarkdown.MetricName(task)})"), "average"];
        return Html.Table(headers, table.Rows.Select(Row), [.. Enumerable.Range(1, headers.Length - 1)]);
        IReadOnlyList<object?> Row(ComparisonRow row) =>
        [
            Html.Foreign(row.Method.Name), row.AdapterParameters, row.HeadParameters, .. row.Tasks.Select((cell, task) => Marked(cell.Text, table.IsBest(row, task))),
            Marked(row.Average?.Text(table.Plan.Seeds.Count) ?? "—", table.IsBest(row)),
        ];
    }

    private static XElement Costs(ComparisonTable table) => Html.Table(
        ComparisonMarkdown.CostHeaders, table.Rows.Select(row => (IReadOnlyList<object?>)[Html.Foreign(row.Method.Name), .. ComparisonMarkdown.Costs(row)]), 1, 2, 3);

    private static XElement Runs(ComparisonTable table) => Html.Table(
        ["method", "task", "seed", "score", "after step", ""],
        table.Outcomes.Where(outcome => outcome.Result is not null).Select(outcome => (IReadOnlyList<object?>)
        [
            Html.Foreign(outcome.Cell.Method), outcome.Cell.Task.Name, $"{outcome.Cell.Seed}", ScoreSummary.Hundredths(outcome.Result!.Score(table.Plan.Score)),
            $"{(table.Plan.Score == ScoreChoice.Best ? outcome.Result.BestStep : outcome.Result.Steps)}", Html.Element("a", Html.Attribute("href", outcome.Cell.ReportLink), "report"),
        ]),
        2, 3, 4);

    private static XElement Options(ComparisonPlan plan)
    {
        var options = new OptionSummary(plan);
        return Html.Section(
            "Options", Html.Element("p", $"Every run: {OptionSummary.Text(options.Everywhere)}."),
            Html.Table(["method", "options beside these"], options.Methods.Select(method => (IReadOnlyList<object?>)[Html.Foreign(method.Name), method.Text])));
    }

    private static object Marked(string text, bool best) => best ? Html.Element("strong", text) : text;
}
