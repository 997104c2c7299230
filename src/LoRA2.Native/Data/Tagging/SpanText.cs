using System.Text;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Tagging;

/// <summary>Compares what a span says that it covers with what its offsets cover, so that offsets that were counted otherwise than in code points are no labels of other words.</summary>
internal static class SpanText
{
    /// <summary>What is wrong with a span's offsets by its own words, or null.</summary>
    /// <param name="text">The text.</param>
    /// <param name="places">Where its code points begin, and where it ends.</param>
    /// <param name="from">The span's start as it is given.</param>
    /// <param name="to">Its end.</param>
    /// <param name="label">Its label.</param>
    /// <param name="field">The field that says what it covers.</param>
    /// <param name="said">What that says.</param>
    /// <param name="isQuoted">Whether it must be what is in the text; else it may be a form of it, as of Rasa's values and HuggingFace's words, and is only wrong where another way of counting leads to it.</param>
    public static string? WhatIsWrong(string text, int[] places, int from, int to, string label, string field, string said, bool isQuoted)
    {
        string? covered = from >= 0 && from < to && to < places.Length ? text[places[from]..places[to]] : null;
        if (covered is not null && WithoutSpace(covered) == WithoutSpace(said)) return null;
        string? why = Counted(text, places, from, to, said);
        if (why is null && (!isQuoted || covered is null)) return null;
        return $"span {from} to {to} ({label}) covers {(covered is null ? $"no stretch of the text's {places.Length - 1} characters" : Quote.Name(covered))}, and its {Quote.Name(field)} is {Quote.Name(said)}"
            + (why is null ? ", expected the stretch that the offsets cover" : $": {why}");
    }

    /// <summary>A line break may have become a space, and spaces at the ends move no label.</summary>
    private static string WithoutSpace(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));

    private static string? Counted(string text, int[] places, int from, int to, string said)
    {
        if (said.Length == 0 || from < 0 || to < from) return null;
        if (to <= text.Length && text[from..to] == said) return "the offsets look like UTF-16 units; code points were expected";
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (to <= bytes.Length && bytes.AsSpan(from, to - from).SequenceEqual(Encoding.UTF8.GetBytes(said))) return "the offsets look like UTF-8 bytes; code points were expected";
        if (to + 1 < places.Length && text[places[from]..places[to + 1]] == said) return "the end looks like the place of the last character; the place after it was expected";
        if (from > 0 && to < places.Length && text[places[from - 1]..places[to]] == said) return "the start looks counted from 1; a count from 0 was expected";
        return null;
    }
}
