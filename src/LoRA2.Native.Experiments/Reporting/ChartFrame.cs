using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>
/// Two axes and what is drawn on them. The drawing is SVG stretched to the place there is, strokes not stretched with it; the numbers at the axes are HTML, so that they
/// have the text's size at every width.
/// </summary>
internal static class ChartFrame
{
    public const int Width = 1000, Height = 400;

    /// <param name="label">What the picture shows, for those who do not see it.</param>
    /// <param name="x">The horizontal axis.</param>
    /// <param name="y">The vertical axis.</param>
    /// <param name="xTitle">What is along the horizontal axis.</param>
    /// <param name="drawn">In the coordinates of <see cref="At"/>.</param>
    public static XElement Of(string label, Axis x, Axis y, string xTitle, IEnumerable<XElement> drawn)
    {
        var grid = new StringBuilder();
        foreach (double tick in y.Ticks) grid.Append(CultureInfo.InvariantCulture, $"M0 {Down(y.Place(tick))}H{Width}");
        XElement lines = Html.Element("path", Html.Class("grid"), Html.Attribute("d", grid.ToString()));
        return Of(label, x, [.. y.Ticks.Select(tick => (y.Place(tick), y.Format(tick)))], xTitle, [lines, .. drawn]);
    }

    /// <summary>The same with texts at places of the vertical axis, 0 below and 1 above.</summary>
    public static XElement Of(string label, Axis x, IReadOnlyList<(double Place, string Text)> y, string xTitle, IEnumerable<XElement> drawn) => Html.Element(
        "div", Html.Class("chart"), Html.Style(string.Create(CultureInfo.InvariantCulture, $"--y: {y.Max(tick => tick.Text.Length) + 1}ch")),
        Html.Element("div", Html.Class("y"), Hidden(), y.Select(tick => Html.Element("span", Html.Style($"bottom: {Percent(tick.Place)}"), tick.Text))),
        Html.Element(
            "div", Html.Class("plot"),
            Html.Element(
                "svg", Html.Attribute("viewBox", $"0 0 {Width} {Height}"), Html.Attribute("preserveAspectRatio", "none"), Html.Attribute("role", "img"), Html.Attribute("aria-label", label), drawn)),
        Html.Element("div", Html.Class("x"), Hidden(), x.Ticks.Select(tick => Html.Element("span", Html.Style($"left: {Percent(x.Place(tick))}"), x.Format(tick)))),
        Html.Element("div", Html.Class("x-title"), Hidden(), xTitle));

    /// <summary>A place in the SVG's coordinates, to a tenth.</summary>
    public static string At(Axis x, Axis y, double valueX, double valueY) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Round(x.Place(valueX) * Width, 1)} {Down(y.Place(valueY))}");

    private static double Down(double place) => Math.Round((1 - place) * Height, 1);

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{Math.Round(share * 100, 2)}%");

    private static XAttribute Hidden() => Html.Attribute("aria-hidden", "true");
}
