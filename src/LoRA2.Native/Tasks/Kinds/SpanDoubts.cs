using LoRA2.Native.Data;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tasks.Kinds;

/// <summary>Counts the spans of a data set that words can't tag as they are, and the entities that are cut off, and remembers the first of each kind.</summary>
/// <param name="name">What the data is called.</param>
internal sealed class SpanDoubts(string name)
{
    private int widened;
    private int lost;
    private int cut;
    private string firstWidened = "";
    private string firstLost = "";
    private string firstCut = "";

    /// <summary>What was found, each a sentence.</summary>
    public IReadOnlyList<string> Notes =>
    [
        .. widened == 0 ? (string[])[] : [$"{name}: {Counted(widened, "starts or ends", "start or end")} inside a word and {Were(widened)} widened to whole words, the first {firstWidened}"],
        .. lost == 0 ? (string[])[] : [$"{name}: {Counted(lost, "has", "have")} no word of {(lost == 1 ? "its" : "their")} own and {Were(lost)} left out, the first {firstLost}"],
        .. cut == 0 ? (string[])[] : [$"{name}: {(cut == 1 ? "1 entity ends" : $"{cut} entities end")} beyond the cut (--max-length) and {(cut == 1 ? "counts" : "count")} as missed, the first {firstCut}"],
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

    /// <summary>A text that was cut: counts its entities that end beyond.</summary>
    /// <param name="example">The text.</param>
    /// <param name="tags">Its words' tags.</param>
    /// <param name="places">Where its words are, where it was given whole.</param>
    /// <param name="kept">How many of the words were kept.</param>
    public void Cut(Example example, IReadOnlyList<string> tags, List<(int Token, int Start, int End)> places, int kept)
    {
        if (TagScheme.Of(tags) == TagScheme.Plain) return;
        foreach ((string type, int first, int last) in EntityTags.Lenient(tags))
        {
            if (last < kept || cut++ > 0) continue;
            string entity = example.Words is { } words ? string.Join(' ', words.Skip(first).Take(last - first + 1)) : example.Text[places[first].Start..places[last].End];
            firstCut = $"{Place(example)}: {Quote.Name(entity)} ({Quote.Plain(type)})";
        }
    }

    private static string Place(Example example) => example.Line > 0 ? $"in line {example.Line}" : $"in {Quote.Name(example.Text)}";

    private static string Counted(int count, string one, string many) => count == 1 ? $"1 span {one}" : $"{count} spans {many}";

    private static string Were(int count) => count == 1 ? "was" : "were";
}
