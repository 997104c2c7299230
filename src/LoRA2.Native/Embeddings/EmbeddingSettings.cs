namespace LoRA2.Native.Embeddings;

/// <summary>How a text becomes a vector, beside the encoder's weights: what sentence-transformers keeps in the files around a model.</summary>
public sealed record EmbeddingSettings
{
    /// <summary>How the tokens' hidden states become one vector.</summary>
    public Pooling Pooling { get; init; } = Pooling.Mean;

    /// <summary>Whether vectors have the length 1.</summary>
    public bool Normalises { get; init; }

    /// <summary>Tokens after which a text is cut, special ones included; null for as many as the model takes.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Whether texts are lower-cased before the tokenizer sees them.</summary>
    public bool Lowercases { get; init; }

    /// <summary>What is put before a text, by what it is for: <c>query</c>, <c>document</c>, ….</summary>
    public IReadOnlyDictionary<string, string> Prompts { get; init; } = new Dictionary<string, string>();

    /// <summary>The name of the prompt that a text gets when none is asked for, or null.</summary>
    public string? DefaultPrompt { get; init; }

    /// <summary>A text as the tokenizer gets it: with the prompt before it, and then without white space around it, as sentence-transformers has it.</summary>
    internal string TextOf(string text, string prompt)
    {
        string whole = prompt + text;
        int start = 0, end = whole.Length;
        while (start < end && IsSpace(whole[start])) start++;
        while (end > start && IsSpace(whole[end - 1])) end--;
        whole = whole[start..end];
        return Lowercases ? whole.ToLowerInvariant() : whole;
    }

    /// <summary>Python's: white space and the four information separators.</summary>
    private static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';

    /// <summary>The first of these prompts that there is, or null.</summary>
    internal string? PromptOf(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (Prompts.TryGetValue(name, out string? prompt)) return prompt;
        }

        return null;
    }
}
