using System.Text;
using LoRA2.Native.Experiments.Comparison;
using LoRA2.Native.Files;

namespace LoRA2.Native.Experiments.Reproduction;

/// <summary>The files that a reproduction's results are kept in, named after the table, each replaced as a whole.</summary>
/// <param name="folder">The reproduction's folder.</param>
/// <param name="table">What is reproduced.</param>
/// <param name="result">Makes tables of the runs.</param>
public sealed class ReproductionFiles(string folder, PaperTable table, PaperResult result)
{
    private readonly string folder = folder ?? throw new ArgumentNullException(nameof(folder));
    private readonly PaperTable table = table ?? throw new ArgumentNullException(nameof(table));
    private readonly PaperResult result = result ?? throw new ArgumentNullException(nameof(result));

    /// <summary>Ours beside the paper's, for reading as text.</summary>
    public string Markdown => Path.Combine(folder, $"{table.Name}.md");

    /// <summary>A row for each run.</summary>
    public string Csv => Path.Combine(folder, $"{table.Name}.csv");

    /// <summary>A self-contained page.</summary>
    public string Page => Path.Combine(folder, $"{table.Name}.html");

    /// <summary>Writes all of them.</summary>
    public void Write(ComparisonTable runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        Write(Markdown, Encoding.UTF8.GetBytes(result.Markdown(runs)));
        Write(Csv, Encoding.UTF8.GetBytes(ComparisonCsv.Of(runs)));
        Write(Page, result.Page(runs));
    }

    private static void Write(string path, byte[] content) => AtomicFile.Write(path, stream => stream.Write(content));
}
