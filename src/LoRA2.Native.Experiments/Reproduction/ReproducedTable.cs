using System.Xml.Linq;
using LoRA2.Native.Experiments.Comparison;
using LoRA2.Native.Experiments.Reporting;

namespace LoRA2.Native.Experiments.Reproduction;

/// <summary>A table of ours beside the paper's.</summary>
/// <param name="Caption">What it shows.</param>
/// <param name="Headers">Its columns.</param>
/// <param name="Rows">Its rows.</param>
public sealed record ReproducedTable(string Caption, IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>What stands for a figure that isn't there.</summary>
    public const string None = "—";

    /// <summary>The caption and the table as Markdown.</summary>
    public string Markdown
    {
        get
        {
            var table = new MarkdownTable([.. Headers]);
            foreach (IReadOnlyList<string> row in Rows) table.Add([.. row]);
            return $"**{Caption}**\n\n{table}";
        }
    }

    /// <summary>What stands for the table on a page, or null for the table itself.</summary>
    internal XElement? Chart { get; init; }

    internal XElement Section => Chart is not null ? Html.Section(Caption, Chart) : Html.Section(
        Caption, Html.Table(Headers, Rows.Select(row => (IReadOnlyList<object?>)[.. row]), [.. Enumerable.Range(1, Headers.Count - 1)]));
}
