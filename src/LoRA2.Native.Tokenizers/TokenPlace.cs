namespace LoRA2.Native.Tokenizers;

/// <summary>Where a token came from.</summary>
/// <param name="Start">The first of its characters in the text, or in its word where words were given; UTF-16.</param>
/// <param name="End">The place after its last character. A token that stands for a space before a word may begin there, as in HuggingFace's offsets.</param>
/// <param name="Word">The number of its word, as the tokenizer divides a text or as words were given; −1 for a special token around the text.</param>
/// <param name="Sequence">0 for the first text, 1 for the second; −1 for a special token around them.</param>
public readonly record struct TokenPlace(int Start, int End, int Word, int Sequence)
{
    /// <summary>The place of a special token around the text.</summary>
    public static TokenPlace Special { get; } = new(0, 0, -1, -1);

    /// <summary>Whether it is a special token around the text.</summary>
    public bool IsSpecial => Sequence < 0;
}

/// <summary>One model input with the place of each of its tokens in the text.</summary>
/// <param name="Ids">Token ids, [length].</param>
/// <param name="TypeIds">Segment of each token, [length].</param>
/// <param name="Tokens">The tokens as the tokenizer writes them, [length].</param>
/// <param name="Places">The place of each token, [length].</param>
/// <param name="IsCut">Whether tokens were lost: the input was longer.</param>
public sealed record PlacedInput(int[] Ids, int[] TypeIds, string[] Tokens, TokenPlace[] Places, bool IsCut);
