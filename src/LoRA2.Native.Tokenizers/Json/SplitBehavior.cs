namespace LoRA2.Native.Tokenizers.Json;

/// <summary>What becomes of the matches a text is split at.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}
