using LoRA2.Native.Data;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tasks.Kinds;

/// <summary>Counts the spans of a data set that words can't tag as they are, and remembers the first of each kind.</summary>
/// <param name="name">What the data is called.</param>
internal sealed class SpanDoubts(string name)
{
    private int widened;
    private int lost;
    private string firstWidened = "";
    private string firstLost = "";

    /// <summary>What was found, each a sentence.</summary>
    public IReadOnlyList<string> Notes =>
    [
        .. widened == 0 ? (string[])[] : [$"{name}: {Counted(widened, "starts or ends", "start or end")} inside a word and {Were(widened)} widened to whole words, the first {firstWidened}"],
        .. lost == 0 ? (string[])[] : [$"{name}: {Counted(lost, "has", "have")} no word of {(lost == 1 ? "its" : "their")} own and {Were(lost)} left out, the first {firstLost}"],
    ];

    /// <summary>A span that words are tagged for.</summary>
    /// <param name="example">Its text.</param>
    /// <param name="span">Where it is.</param>
    /// <param name="start">Where its first word starts.</param>
    /// <param name="end">Where its last word ends.</param>
    public void Tagged(Example example, LabelledSpan span, int start, int end)
    {
        string text = example.Text;
        if ((start >= span.Start || string.IsNullOrWhiteSpace(text[start..span.Start])) && (end <= span.End || string.IsNullOrWhiteSpace(text[span.End..end]))) return;
        if (widened++ == 0) firstWidened = $"{Place(example)}: {Quote.Name(text[span.Start..span.End])} became {Quote.Name(text[Math.Min(start, span.Start)..Math.Max(end, span.End)])}";
    }

    /// <summary>A span that no word is tagged for, though the text was not cut before it.</summary>
    public void Lost(Example example, LabelledSpan span)
    {
        if (lost++ == 0) firstLost = $"{Place(example)}: {Quote.Name(example.Text[span.Start..span.End])} ({Quote.Plain(span.Label)})";
    }

    private static string Place(Example example) => example.Line > 0 ? $"in line {example.Line}" : $"in {Quote.Name(example.Text)}";

    private static string Counted(int count, string one, string many) => count == 1 ? $"1 span {one}" : $"{count} spans {many}";

    private static string Were(int count) => count == 1 ? "was" : "were";
}
