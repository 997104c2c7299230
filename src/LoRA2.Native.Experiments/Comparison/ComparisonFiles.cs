using System.Text;
using LoRA2.Native.Files;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>The files that a comparison's results are kept in, each replaced as a whole.</summary>
/// <param name="folder">The comparison's folder.</param>
public sealed class ComparisonFiles(string folder)
{
    private readonly string folder = folder ?? throw new ArgumentNullException(nameof(folder));

    /// <summary>Tables for reading as text.</summary>
    public string Markdown => Path.Combine(folder, "compare.md");

    /// <summary>A row for each run.</summary>
    public string Csv => Path.Combine(folder, "compare.csv");

    /// <summary>A self-contained page.</summary>
    public string Page => Path.Combine(folder, "compare.html");

    /// <summary>Writes all of them.</summary>
    public void Write(ComparisonTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        Write(Markdown, Encoding.UTF8.GetBytes(ComparisonMarkdown.Of(table)));
        Write(Csv, Encoding.UTF8.GetBytes(ComparisonCsv.Of(table)));
        Write(Page, ComparisonPage.Of(table));
    }

    private static void Write(string path, byte[] content) => AtomicFile.Write(path, stream => stream.Write(content));
}
