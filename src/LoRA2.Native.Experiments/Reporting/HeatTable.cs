using System.Globalization;
using System.Xml.Linq;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>A cell of a <see cref="HeatTable"/>.</summary>
/// <param name="Text">What stands in it.</param>
/// <param name="Share">How deep its colour is, 0 to 1; NaN for none.</param>
/// <param name="Small">Below the text, or null.</param>
/// <param name="Title">Shown when pointed at, or null.</param>
/// <param name="IsWrong">In the other colour: mistakes.</param>
internal readonly record struct HeatCell(string Text, double Share, string? Small = null, string? Title = null, bool IsWrong = false);

/// <summary>A table of numbers with cells as deep in colour as the numbers are great: readable by colour, by number and by a screen reader.</summary>
internal static class HeatTable
{
    /// <param name="caption">What the table shows, for those who do not see it.</param>
    /// <param name="corner">Over the rows' headers.</param>
    /// <param name="rows">The rows' headers.</param>
    /// <param name="columns">The columns' headers; upright when one is long.</param>
    /// <param name="cell">By row and column.</param>
    public static XElement Of(string caption, string corner, IReadOnlyList<string> rows, IReadOnlyList<string> columns, Func<int, int, HeatCell> cell)
    {
        int longest = columns.Max(column => column.Length);
        bool upright = longest > 5;
        XElement head = Html.Element(
            "tr", Html.Element("th", Html.Class("corner"), corner),
            columns.Select(column => Html.Element("th", Html.Attribute("scope", "col"), Html.Attribute("title", column), Html.Element("span", Html.Foreign(column)))));
        IEnumerable<XElement> body = rows.Select((row, i) => Html.Element(
            "tr", Html.Element("th", Html.Attribute("scope", "row"), Html.Attribute("title", row), Html.Foreign(row)), Enumerable.Range(0, columns.Count).Select(j => Cell(cell(i, j)))));
        return Html.Element(
            "div", Html.Class("scroll"),
            Html.Element(
                "table", Html.Class(upright ? "heat upright" : "heat"), upright ? Html.Style(string.Create(CultureInfo.InvariantCulture, $"--length: {Math.Min(longest, 20)}ch")) : null, Html.Element("caption", caption), Html.Element("thead", head), Html.Element("tbody", body)));
    }

    /// <summary>Whether so many columns need a page's width.</summary>
    public static bool IsWide(int columns) => columns > 9;

    private static XElement Cell(HeatCell cell)
    {
        bool coloured = double.IsFinite(cell.Share);
        string kind = !coloured ? "plain" : string.Concat(cell.IsWrong ? "wrong" : "", cell.Share > 0.55 ? " deep" : "", cell.Share > 0.75 ? " deepest" : "").Trim();
        return Html.Element(
            "td",
            kind.Length == 0 ? null : Html.Class(kind),
            coloured ? Html.Style(string.Create(CultureInfo.InvariantCulture, $"--v: {Math.Round(Math.Clamp(cell.Share, 0, 1), 3)}")) : null,
            cell.Title is null ? null : Html.Attribute("title", cell.Title),
            cell.Text,
            cell.Small is null ? null : Html.Element("small", cell.Small));
    }
}
