namespace LoRA2.Native.Data;

/// <summary>One text or pair of texts, with what is to be predicted of it.</summary>
/// <param name="Text">The text, or the first of a pair.</param>
/// <param name="Pair">The second text of a pair, or null.</param>
/// <param name="Target">The class's index (classification), the score (regression), or null when the example has no label.</param>
public sealed record Example(string Text, string? Pair = null, float? Target = null)
{
    /// <summary>For kinds of tasks with several targets a text: a number each, such as 1 for every label that a text has and 0 for the others; null where there are none.</summary>
    public IReadOnlyList<float>? Targets { get; init; }

    /// <summary>For vectors of texts: what the text is to be told apart from, while the pair belongs to it.</summary>
    public IReadOnlyList<string> Negatives { get; init; } = [];

    /// <summary>All of its texts.</summary>
    internal IEnumerable<string> Texts => Pair is null ? [Text, .. Negatives] : [Text, Pair, .. Negatives];

    /// <summary>For tags of words: the words, where the text was divided already; <see cref="Targets"/> then has each word's tag. The text is the words with spaces between.</summary>
    public IReadOnlyList<string>? Words { get; init; }

    /// <summary>For tags of words: the stretches of the text that have a label, in their order, where they are given so; <see cref="Words"/> is then null.</summary>
    public IReadOnlyList<LabelledSpan>? Spans { get; init; }

    /// <summary>The line of the file that it is from, for messages about what is found later; 0 where nobody asks.</summary>
    internal int Line { get; init; }

    /// <summary>Whether there is something that a prediction can be compared with.</summary>
    public bool IsLabelled => Target is not null || Targets is not null || Spans is not null;

    /// <summary>The class's index.</summary>
    /// <exception cref="InvalidOperationException">The example has no label.</exception>
    public int Label => (int)(Target ?? throw new InvalidOperationException("The example has no label."));
}

/// <summary>A stretch of a text with its label.</summary>
/// <param name="Start">Its first character, UTF-16.</param>
/// <param name="End">The place after its last.</param>
/// <param name="Label">The kind of thing it names, without B- or I-.</param>
public readonly record struct LabelledSpan(int Start, int End, string Label);
