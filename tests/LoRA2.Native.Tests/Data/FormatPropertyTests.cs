using System.Text.Json;
using FsCheck.Xunit;
using LoRA2.Native.Data;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

/// <summary>What is written to a file by its format's rules is what is read.</summary>
public sealed class FormatPropertyTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Property]
    public void Csv(DrawnRows drawn) =>
        Same(drawn, "d.csv", "text,text_pair,label\n" + string.Concat(drawn.Rows.Select(row => $"{Quoted(row.Text)},{Quoted(row.Pair)},{Quoted(row.Label)}\n")));

    [Property]
    public void JsonLines(DrawnRows drawn) => Same(drawn, "d.jsonl", string.Concat(drawn.Rows.Select(row =>
        JsonSerializer.Serialize(new Dictionary<string, string> { ["text"] = row.Text, ["text_pair"] = row.Pair, ["label"] = row.Label }) + "\n")));

    /// <summary>It has no way to write a tab or a line end.</summary>
    [Property]
    public void Tsv(DrawnRows drawn)
    {
        var plain = new DrawnRows([.. drawn.Rows.Select(row => (Plain(row.Text), Plain(row.Pair), row.Label))]);
        Same(plain, "d.tsv", "text\ttext_pair\tlabel\n" + string.Concat(plain.Rows.Select(row => $"{row.Text}\t{row.Pair}\t{row.Label}\n")));
    }

    private static string Quoted(string field) => $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Plain(string field) => field.Replace('\t', ' ').Replace('\n', ' ');

    private void Same(DrawnRows drawn, string file, string content)
    {
        Dataset read = DatasetFile.Load(folder.Write(file, content));
        Assert.Equal(drawn.Rows.Select(row => (row.Text, (string?)row.Pair, row.Label)), read.Examples.Select(example => (example.Text, example.Pair, read.LabelNames![example.Label])));
    }
}
