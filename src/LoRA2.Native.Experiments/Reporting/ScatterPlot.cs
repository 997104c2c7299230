using System.Xml.Linq;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>Predicted over true scores of the development data.</summary>
internal static class ScatterPlot
{
    private const int MostDots = 4000;

    /// <param name="pairs">For each example the true score and the predicted one.</param>
    /// <param name="target">What is predicted, where there are several targets.</param>
    public static XElement? Of(IReadOnlyList<(double Actual, double Predicted)> pairs, string? target = null)
    {
        (double Actual, double Predicted)[] finite = [.. pairs.Where(pair => double.IsFinite(pair.Actual) && double.IsFinite(pair.Predicted))];
        if (finite.Length == 0) return null;
        int every = (finite.Length + MostDots - 1) / MostDots;
        Axis x = Axis.Over(finite.Min(pair => pair.Actual), finite.Max(pair => pair.Actual)), y = Axis.Over(finite.Min(pair => pair.Predicted), finite.Max(pair => pair.Predicted));
        // The stretch of y = x that both axes have.
        double from = Math.Max(x.From, y.From), to = Math.Min(x.To, y.To);
        XElement? diagonal = from >= to ? null : Html.Element(
            "g", Html.Class("c2 dashed"), Html.Element("path", Html.Attribute("d", $"M{ChartFrame.At(x, y, from, from)}L{ChartFrame.At(x, y, to, to)}")));
        XElement dots = Html.Element(
            "g", Html.Class("c1 cloud"),
            finite.Where((_, i) => i % every == 0).Select(pair => Html.Element("path", Html.Attribute("d", $"M{ChartFrame.At(x, y, pair.Actual, pair.Predicted)}h0"))));
        string about = $"Predicted score (up) over the true one (across); on the dashed line both are equal.{(every > 1 ? $" Every {every}th example." : "")}";
        XElement figure = Html.Figure(
            target is null ? "Predicted and true" : $"{target}: predicted and true", about, ChartFrame.Of($"Scatter of {finite.Length} predicted over true scores", x, y, "true score", diagonal is null ? [dots] : [dots, diagonal]));
        figure.Add(Html.Class("tall"));
        return figure;
    }
}
