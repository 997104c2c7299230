using System.Text;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>A Markdown table whose columns line up in plain text.</summary>
internal sealed class MarkdownTable(params string[] header)
{
    private readonly List<string[]> rows = [];

    public void Add(params string[] cells) => rows.Add([.. cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))]);

    public override string ToString()
    {
        int[] widths = [.. header.Select((name, i) => Math.Max(3, rows.Select(row => row[i].Length).Append(name.Length).Max()))];
        var text = new StringBuilder();
        void Line(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
        Line(header.Select((name, i) => name.PadRight(widths[i])));
        Line(widths.Select(width => new string('-', width)));
        foreach (string[] row in rows) Line(row.Select((cell, i) => cell.PadRight(widths[i])));
        return text.ToString();
    }
}
