using System.Text;
using System.Xml.Linq;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>How a line is drawn; each has a rule in page.css.</summary>
internal enum LineKind
{
    /// <summary>A bold line.</summary>
    Plain,

    /// <summary>Faint, behind its running mean.</summary>
    Faint,

    /// <summary>A line with a dot at every value.</summary>
    Dotted,

    /// <summary>A dashed line, for what is compared with.</summary>
    Dashed,
}

/// <summary>One line of a chart.</summary>
/// <param name="Name">In the legend; null for none.</param>
/// <param name="Points">From left to right; a value that is no number is a gap.</param>
/// <param name="Colour">1 to 7, of page.css.</param>
/// <param name="Kind">How it is drawn.</param>
internal sealed record Line(string? Name, IReadOnlyList<(double X, double Y)> Points, int Colour = 1, LineKind Kind = LineKind.Plain);

/// <summary>Lines over two axes.</summary>
internal static class LineChart
{
    /// <param name="label">What the picture shows, for those who do not see it.</param>
    /// <param name="x">The horizontal axis.</param>
    /// <param name="y">The vertical axis.</param>
    /// <param name="xTitle">What is along the horizontal axis.</param>
    /// <param name="lines">The later over the earlier.</param>
    public static IEnumerable<XElement> Of(string label, Axis x, Axis y, string xTitle, params IReadOnlyList<Line> lines)
    {
        if (lines.Count(line => line.Name is not null) > 1) yield return Legend(lines);
        yield return ChartFrame.Of(label, x, y, xTitle, lines.Select(line => Drawn(line, x, y)));
    }

    public static XElement Legend(IEnumerable<Line> lines) => Html.Element(
        "ul", Html.Class("legend"),
        lines.Where(line => line.Name is not null).Select(line => Html.Element("li", Html.Class($"c{line.Colour} {Name(line.Kind)}"), Html.Foreign(line.Name!))));

    private static XElement Drawn(Line line, Axis x, Axis y)
    {
        var path = new StringBuilder();
        bool isOpen = false;
        foreach ((double valueX, double valueY) in line.Points)
        {
            if (!double.IsFinite(valueY) || (y.IsLogarithmic && valueY <= 0))
            {
                isOpen = false;
                continue;
            }

            path.Append(isOpen ? 'L' : 'M').Append(ChartFrame.At(x, y, valueX, valueY));
            isOpen = true;
        }

        XElement curve = Html.Element("path", Html.Attribute("d", path.ToString()));
        // A line of no length with round ends is a dot that stretching does not distort.
        XElement? dots = line.Kind != LineKind.Dotted ? null : Html.Element(
            "path", Html.Class("dots"), Html.Attribute("d", string.Concat(line.Points.Where(point => double.IsFinite(point.Y)).Select(point => $"M{ChartFrame.At(x, y, point.X, point.Y)}h0"))));
        return Html.Element("g", Html.Class($"c{line.Colour} {Name(line.Kind)}"), curve, dots);
    }

    private static string Name(LineKind kind) => kind.ToString().ToLowerInvariant();
}
