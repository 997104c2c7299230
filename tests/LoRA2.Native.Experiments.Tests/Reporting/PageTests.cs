using System.Text;
using System.Xml.Linq;
using LoRA2.Native.Experiments.Reporting;

namespace LoRA2.Native.Experiments.Tests.Reporting;

public sealed class PageTests
{
    public static readonly string[] Hostile =
        ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a & b < c > d", "\" onmouseover=\"x", "]]>", "&amp;", "\0\u0001\uFFFE", "\uD800", "\u202Eevil", "😀 \uDC00"];

    [Fact]
    public void WhatComesFromOutsideStaysText()
    {
        string text = Encoding.UTF8.GetString(Page.Of(
            string.Concat(Hostile), Html.Section(string.Concat(Hostile), Html.Table(Hostile, [Hostile]), Html.Element("p", Html.Attribute("title", string.Concat(Hostile))))));
        XElement html = XDocument.Parse(text).Root!;
        Assert.DoesNotContain(html.Descendants(), element => element.Name.LocalName is "script" or "img");
        Assert.DoesNotContain("<script", text, StringComparison.Ordinal);
        string[] cells = [.. html.Descendants("td").Select(cell => cell.Value)];
        Assert.Equal(Hostile[..6], cells[..6]);
        Assert.Equal("\uFFFD\uFFFD\uFFFD", cells[6]);
        Assert.Equal(["\uFFFD", "\u202Eevil", "😀 \uFFFD"], cells[7..]);
        Assert.Equal(string.Concat(Hostile).Count(character => character == '<'), html.Descendants("p").Single().Attribute("title")!.Value.Count(character => character == '<'));
    }

    [Fact]
    public void APageLoadsNothingAndIsTheSameToAnXmlAndAnHtmlParser()
    {
        string text = Encoding.UTF8.GetString(Page.Of("t", Html.Element("p"), Html.Element("td"), Html.Element("br")));
        Assert.StartsWith("<!DOCTYPE html>\n<html lang=\"en\">", text, StringComparison.Ordinal);
        Assert.Contains("<p></p><td></td><br />", text, StringComparison.Ordinal);
        XElement html = XDocument.Parse(text).Root!;
        string style = html.Descendants("style").Single().Value;
        // HTML does not decode entities there, so there must be none.
        Assert.DoesNotContain(style, character => character is '<' or '>' or '&');
        Assert.DoesNotContain("url(", style, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", style, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", style, StringComparison.Ordinal);
        Assert.DoesNotContain(html.DescendantsAndSelf().Attributes(), attribute => attribute.Name.LocalName is "src" or "href");
    }

    [Theory]
    [InlineData(0, 1, new[] { "0.0", "0.2", "0.4", "0.6", "0.8", "1.0" })]
    [InlineData(0.61, 0.672, new[] { "0.60", "0.62", "0.64", "0.66", "0.68" })]
    [InlineData(0, 192, new[] { "0", "50", "100", "150", "200" })]
    [InlineData(3, 3, new[] { "1", "2", "3", "4", "5" })]
    [InlineData(0, 0, new[] { "-0.6", "-0.4", "-0.2", "0.0", "0.2", "0.4", "0.6" })]
    [InlineData(0, 0.006, new[] { "0.000", "0.002", "0.004", "0.006" })]
    [InlineData(0, 4e-5, new[] { "0", "1e-5", "2e-5", "3e-5", "4e-5" })]
    public void TicksAreRoundNumbersAroundTheValues(double least, double greatest, string[] expected)
    {
        Axis axis = Axis.Over(least, greatest);
        Assert.Equal(expected, axis.Ticks.Select(axis.Format));
        Assert.Equal((0, 1), (axis.Place(axis.Ticks[0]), axis.Place(axis.Ticks[^1])));
    }

    [Fact]
    public void StepsEndWhereTheyEnd()
    {
        Axis axis = Axis.Between(1, 535);
        Assert.Equal(["100", "200", "300", "400", "500"], axis.Ticks.Select(axis.Format));
        Assert.Equal((0, 1), (axis.Place(1), axis.Place(535)));
        Assert.Equal(["0.1", "1", "10"], Axis.Logarithmic(0.12, 7).Ticks.Select(Axis.Logarithmic(0.12, 7).Format));
    }

    [Fact]
    public void AValueThatIsNoNumberIsAGap()
    {
        Axis axis = Axis.Between(0, 4);
        XElement chart = LineChart.Of("a line", axis, axis, "step", new Line(null, [(0, 0), (1, double.NaN), (2, 2), (4, 4)])).Single();
        Assert.Equal("M0 400M500 200L1000 0", chart.Descendants("path").Last().Attribute("d")!.Value);
    }
}
