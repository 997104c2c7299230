using System.Text;
using System.Xml.Linq;
using LoRA2.Native.Experiments.Reporting;

namespace LoRA2.Native.Experiments.Tests.Reporting;

public sealed class ConfusionMatrixTests
{
    [Fact]
    public void TwoHundredClassesAreAPictureAndAList()
    {
        string[] labels = [.. Enumerable.Range(0, 200).Select(i => $"class {i}")];
        var matrix = new ConfusionMatrix(labels, Enumerable.Range(0, 2000).Select(i => (i % 200, i % 7 == 0 ? (i + 1) % 200 : i % 200)));
        XElement page = XDocument.Parse(Encoding.UTF8.GetString(Page.Of("test", matrix.Matrix(), matrix.Mistakes()!, matrix.Classes()))).Root!;
        Assert.Single(page.Descendants("svg"));
        Assert.Equal(20, page.Descendants("figure").Single(figure => figure.Descendants("h3").Single().Value == "Most frequent mistakes").Descendants("td").Count() / 4);
        Assert.Equal(200 * 6, page.Descendants("details").Single().Descendants("td").Count());
        Assert.Null(new ConfusionMatrix(labels, [(3, 3)]).Mistakes());
    }
}
