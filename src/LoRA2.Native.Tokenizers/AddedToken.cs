namespace LoRA2.Native.Tokenizers;

/// <summary>A token that is found in the text before anything else, with the flags HuggingFace gives it.</summary>
internal sealed record AddedToken(string Content)
{
    public int Id { get; init; } = -1;

    /// <summary>White space to its left belongs to it.</summary>
    public bool LStrip { get; init; }

    /// <summary>White space to its right belongs to it.</summary>
    public bool RStrip { get; init; }

    /// <summary>It is not found inside of a word.</summary>
    public bool SingleWord { get; init; }

    /// <summary>It is looked for in the normalized text.</summary>
    public bool Normalized { get; init; }

    /// <summary>It is left out when decoding.</summary>
    public bool Special { get; init; }
}
