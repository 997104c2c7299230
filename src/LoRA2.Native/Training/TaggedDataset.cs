using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Training;

/// <summary>A data set of texts whose words have tags: which tokens each word has, and its tag.</summary>
public sealed class TaggedDataset : TokenizedDataset
{
    private readonly int[][] firstTokens;
    private readonly int[]?[] tags;

    internal TaggedDataset(TokenizedExamples examples, List<int[]> firstTokens, List<int[]?> tags)
        : base(examples) => (this.firstTokens, this.tags) = ([.. firstTokens], [.. tags]);

    /// <summary>The first token of each word of an example, counted in the example; −1 for a word that was cut off, or that the tokenizer makes nothing of.</summary>
    public ReadOnlySpan<int> FirstTokens(int example) => firstTokens[example];

    /// <summary>The number of the tag of each word of an example.</summary>
    /// <exception cref="InvalidOperationException">It has none.</exception>
    public ReadOnlySpan<int> Tags(int example) => tags[example] ?? throw new InvalidOperationException($"example {example} of {Name} has no tags");

    /// <summary>
    /// The words of a text that was given whole, as runs of tokens: the tokenizer's words, divided further where letters or digits meet anything else (a byte-level or SentencePiece
    /// tokenizer's "Vernon," is one word of theirs and two of a reader's).
    /// </summary>
    /// <returns>First token, and the stretch of the text without spaces, of each.</returns>
    internal static List<(int Token, int Start, int End)> WordsOf(string text, PlacedInput input)
    {
        var words = new List<(int Token, int Start, int End)>();
        for (int i = 0; i < input.Places.Length; i++)
        {
            TokenPlace place = input.Places[i];
            if (place.IsSpecial) continue;
            (int start, int end) = Trimmed(text, place.Start, place.End);
            if (start == end) continue;
            bool goesOn = words.Count > 0 && i > 0 && input.Places[i - 1].Word == place.Word && start > 0 && start <= words[^1].End
                && (start < words[^1].End || (IsOfWord(text[start - 1]) && IsOfWord(text[start])));
            if (goesOn) words[^1] = words[^1] with { End = Math.Max(words[^1].End, end) };
            else words.Add((i, start, end));
        }

        return words;
    }

    /// <summary>A stretch without the white space at its ends.</summary>
    internal static (int Start, int End) Trimmed(string text, int start, int end)
    {
        while (start < end && char.IsWhiteSpace(text[start])) start++;
        while (end > start && char.IsWhiteSpace(text[end - 1])) end--;
        return (start, end);
    }

    private static bool IsOfWord(char c) => char.IsLetterOrDigit(c) || char.IsSurrogate(c) || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark;
}
