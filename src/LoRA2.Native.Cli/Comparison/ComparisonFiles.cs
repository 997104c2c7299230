using System.Text;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Comparison;

/// <summary>The files that a comparison's results are kept in, each replaced as a whole.</summary>
internal sealed class ComparisonFiles(string folder)
{
    public string Markdown => Path.Combine(folder, "compare.md");

    public string Csv => Path.Combine(folder, "compare.csv");

    public string Page => Path.Combine(folder, "compare.html");

    public void Write(ComparisonTable table)
    {
        Write(Markdown, Encoding.UTF8.GetBytes(ComparisonMarkdown.Of(table)));
        Write(Csv, Encoding.UTF8.GetBytes(ComparisonCsv.Of(table)));
        Write(Page, ComparisonPage.Of(table));
    }

    private static void Write(string path, byte[] content) => AtomicFile.Write(path, stream => stream.Write(content));
}
