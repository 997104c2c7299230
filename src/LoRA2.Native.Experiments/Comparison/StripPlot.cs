using System.Globalization;
using System.Xml.Linq;
using LoRA2.Native.Experiments.Reporting;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>The single seeds of a task as dots around their mean, a strip for each method.</summary>
internal static class StripPlot
{
    // Room for a dot at either end, in per cent.
    private const double Margin = 4;

    // Scores that all but agree are not drawn apart.
    private const double LeastRange = 0.002;

    public static XElement Of(ComparisonTable table, int task)
    {
        double[] values = [.. table.Rows.SelectMany(row => row.Tasks[task].Scores.Select(score => score.Value)).Where(double.IsFinite)];
        string title = $"{table.Plan.Tasks[task].Name} ({ComparisonMarkdown.MetricName(table.Plan.Tasks[task])})";
        if (values.Length == 0) return Html.Figure(title, "No run is finished yet.");
        (double least, double most) = (values.Min(), values.Max());
        double missing = Math.Max(0, LeastRange - (most - least)) / 2;
        string Place(double value)
        {
            double share = Math.Clamp((value - least + missing) / (most - least + (2 * missing)), 0, 1);
            return (Margin + ((100 - (2 * Margin)) * share)).ToString("F2", CultureInfo.InvariantCulture) + "%";
        }

        return Html.Figure(
            title, null, Html.Element("div", Html.Class("strip"), table.Rows.SelectMany(row => Strip(row.Method.Name, row.Tasks[task], Place))),
            Html.Element("p", Html.Class("ends"), Html.Element("span", $"lowest {ScoreSummary.Hundredths(least)}"), Html.Element("span", $"highest {ScoreSummary.Hundredths(most)}")));
    }

    private static IEnumerable<XElement> Strip(string method, ComparisonCell cell, Func<double, string> place)
    {
        yield return Html.Element("div", Html.Class("name"), Html.Foreign(method));
        yield return Html.Element("div", Html.Class("number"), cell.Text);
        XElement svg = Html.Element("svg", Html.Attribute("role", "img"), Html.Attribute("aria-label", $"{method}: {cell.Text}"), Line(null, "0", "100%", "50%", "50%"));
        if (cell.Score?.StandardError is { } error) svg.Add(Line("error", place(cell.Score.Mean - error), place(cell.Score.Mean + error), "50%", "50%"));
        if (cell.Score is { } score) svg.Add(Line("mean", place(score.Mean), place(score.Mean), "15%", "85%"));
        foreach ((ulong seed, double value) in cell.Scores.Where(score => double.IsFinite(score.Value)))
        {
            svg.Add(Html.Element(
                "circle", Html.Attribute("cx", place(value)), Html.Attribute("cy", "50%"), Html.Attribute("r", "4.5"), Html.Element("title", $"seed {seed}: {ScoreSummary.Hundredths(value)}")));
        }

        yield return Html.Element("div", Html.Class("plot"), svg);
    }

    private static XElement Line(string? kind, string x1, string x2, string y1, string y2) => Html.Element(
        "line", kind is null ? null : Html.Class(kind), Html.Attribute("x1", x1), Html.Attribute("x2", x2), Html.Attribute("y1", y1), Html.Attribute("y2", y2));
}
