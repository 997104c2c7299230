namespace LoRA2.Native.Tokenizers.Bpe;

/// <summary>How a BPE model treats what its vocabulary lacks, and in which order it merges.</summary>
internal sealed record BpeOptions
{
    /// <summary>The token for unknown symbols; null: the Rust tokenizers drop them.</summary>
    public string? UnknownToken { get; init; }

    /// <summary>The id of unknown symbols for the Python tokenizers, which keep the symbol's text.</summary>
    public int UnknownId { get; init; }

    /// <summary>
    /// All occurrences of the best pair are merged before the next best is looked for (Python), instead of one at a time (Rust). The
    /// two differ only where a merge comes before one of the merges that make its parts.
    /// </summary>
    public bool MergesAllAtOnce { get; init; }

    /// <summary>Merges may make symbols that are not in the vocabulary (Python); else they are an error.</summary>
    public bool ProductsMayBeUnknown { get; init; }

    public string ContinuingPrefix { get; init; } = "";

    public string EndOfWordSuffix { get; init; } = "";

    public bool FuseUnknown { get; init; }

    public bool ByteFallback { get; init; }

    public bool IgnoreMerges { get; init; }
}
