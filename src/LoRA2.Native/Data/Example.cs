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

    /// <summary>Whether there is something that a prediction can be compared with.</summary>
    public bool IsLabelled => Target is not null || Targets is not null;

    /// <summary>The class's index.</summary>
    /// <exception cref="InvalidOperationException">The example has no label.</exception>
    public int Label => (int)(Target ?? throw new InvalidOperationException("The example has no label."));
}
