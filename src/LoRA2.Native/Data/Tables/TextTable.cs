using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Tables;

/// <summary>Plain text, a text a line; empty lines are passed over.</summary>
internal static class TextTable
{
    public static Table Read(string path) =>
        Table.Of(path, 1, ["text"], [.. TextLines.Read(path).Where(line => !string.IsNullOrWhiteSpace(line.Text)).Select(line => new TableRow(line.Number, [line.Text]))]);
}
