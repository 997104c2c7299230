using System.Text;
using System.Xml.Linq;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests.Reporting;

/// <summary>The page that runs leave.</summary>
public sealed class RunReportTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ARunWithEverythingHasEveryPart()
    {
        string output = folder.File("out");
        Lora2.Run(TinyModel.Finetune(folder, output)).Done();
        XElement page = Page(output);
        Assert.Equal(["Training", "Ranks", "Development set", "Configuration"], page.Descendants("h2").Select(title => title.Value));
        Assert.Equal(
            [
                "Training loss", "Development metrics", "Learning rate", "Gradient norm", "Regulariser", "Rank map", "Budget and ranks", "Importance by matrix", "Importance of every matrix",
                "Confusion matrix", "Most frequent mistakes", "By class", "Options", "Data", "Machine",
            ],
            Titles(page));
        // The map's cells add up to what the record says is left.
        XElement map = page.Descendants("figure").Single(figure => Title(figure) == "Rank map");
        int[] cells = [.. map.Descendants("td").Where(cell => cell.Attribute("title") is not null).Select(cell => int.Parse(cell.Value))];
        Assert.Equal(12, cells.Length);
        Assert.Equal(TinyModel.Ranks(output).Sum(), cells.Sum());
        XElement confusion = page.Descendants("figure").Single(figure => Title(figure) == "Confusion matrix");
        Assert.Equal(20, confusion.Descendants("td").Select(cell => cell.Nodes().OfType<XText>().FirstOrDefault()?.Value ?? "").Where(text => text.Length > 0).Sum(int.Parse));
        Assert.DoesNotContain("NaN", page.Value, StringComparison.Ordinal);
        Assert.All(page.Descendants("svg"), svg => Assert.NotEmpty(svg.Attribute("aria-label")!.Value));
        Assert.All(page.Descendants("path"), path => Assert.NotEmpty(path.Attribute("d")!.Value));
    }

    [Fact]
    public void WhatARunHasNotIsNotThere()
    {
        string output = folder.File("out");
        TinyModel.Write(folder);
        Lora2.Run("finetune", "--model", folder.File("model"), "--train", TinyModel.WriteData(folder).Train, "--method", "lora", "--output", output, "--max-steps", "3", "--dev-share", "0").Done();
        Assert.Equal(["Training loss", "Learning rate", "Gradient norm", "Options", "Data", "Machine"], Titles(Page(output)));
    }

    [Fact]
    public void SingularValuesWithoutABudgetHaveASizeButNoMap()
    {
        string output = folder.File("out");
        string[] run = TinyModel.Finetune(folder, output, "--max-steps", "10");
        int budget = Array.IndexOf(run, "--target-rank");
        Lora2.Run([.. run[..budget], .. run[(budget + 2)..]]).Done();
        string[] titles = Titles(Page(output));
        Assert.Contains("Singular values by matrix", titles);
        Assert.DoesNotContain("Rank map", titles);
        Assert.DoesNotContain("Budget and ranks", titles);
    }

    [Fact]
    public void ARegressionHasAScatterAndGatesAMap()
    {
        string rows = string.Concat(Enumerable.Range(0, 12).Select(i => $"{{\"text\": \"row {i}\", \"score\": {i / 4.0}}}\n"));
        string data = folder.Write("scores.jsonl", rows), output = folder.File("out");
        Lora2.Run(
            "finetune", "--model", TinyModel.Write(folder), "--train", data, "--dev", data, "--task", "regression", "--method", "sora", "--gate-threshold", "0.05", "--output", output, "--max-steps", "12").Done();
        XElement page = Page(output);
        Assert.Empty(((string[])["Predicted and true", "Rank map", "Open gates", "Gates by matrix"]).Except(Titles(page)));
        XElement cloud = page.Descendants("g").Single(group => group.Attribute("class")!.Value.Contains("cloud", StringComparison.Ordinal));
        Assert.Equal(12, cloud.Elements().Count());
    }

    [Fact]
    public void HostileLabelsAndNamesStayText()
    {
        string[] labels = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)> & \u202E"];
        string rows = string.Concat(Enumerable.Range(0, 8).Select(i => System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, string> { ["text"] = $"row {i}", ["label"] = labels[i % 2] }) + "\n"));
        string data = folder.Write("<b>data&amp;.jsonl", rows), output = folder.File("<i>out");
        Lora2.Run("finetune", "--model", TinyModel.Write(folder), "--train", data, "--dev", data, "--output", output, "--max-steps", "3").Done();
        XElement page = Page(output);
        Assert.DoesNotContain(page.Descendants(), element => element.Name.LocalName is "script" or "img" or "b" or "i");
        Assert.Contains("<b>data&amp; with LoRA2", page.Descendants("h1").Single().Value, StringComparison.Ordinal);
        Assert.Contains(page.Descendants("th"), header => header.Value == labels[0]);
        Assert.Contains(page.Descendants("th"), header => header.Attribute("title")?.Value == labels[1]);
    }

    [Fact]
    public void AnInterruptedRunSaysSoAndOneThatFailedSaysWhy()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        string output = folder.File("interrupted");
        Lora2.Run([], cancelled.Token, TinyModel.Finetune(folder, output));
        Assert.Contains("Interrupted after step 0 of 20", Alert(output), StringComparison.Ordinal);
        output = folder.File("failed");
        string[] run = TinyModel.Finetune(folder, output, "--learning-rate", "1e6", "--clip", "0", "--schedule", "constant", "--warmup", "0");
        Assert.Equal(1, Lora2.Run(run).Code);
        Assert.Contains("The run failed: the ", Alert(output), StringComparison.Ordinal);
        Assert.Contains("Training loss", Titles(Page(output)));
        // Its report is no result that the next try would have to spare.
        File.Delete(Path.Combine(output, "checkpoint.safetensors"));
        Assert.Equal(1, Lora2.Run(run).Code);
    }

    private static XElement Page(string output) => Parse(File.ReadAllBytes(Path.Combine(output, "report.html")));

    private static XElement Parse(byte[] page) => XDocument.Parse(Encoding.UTF8.GetString(page)).Root!;

    private static string[] Titles(XElement page) => [.. page.Descendants("figure").Select(Title)];

    private static string Title(XElement figure) => figure.Descendants("h3").Single().Value;

    private static string Alert(string output) => Page(output).Descendants("p").Single(paragraph => paragraph.Attribute("class")?.Value == "alert").Value;
}
