using LoRA2.Native.Embeddings;

namespace LoRA2.Native.Inference;

/// <summary>How an <see cref="AdapterHost"/> keeps its adapters.</summary>
public sealed record AdapterHostOptions
{
    /// <summary>Tokens after which every input is cut; null for each adapter's own length.</summary>
    public int? MaxLength { get; init; }

    /// <summary>How the model without an adapter makes a vector of a text; null for what a sentence-transformers folder says, and for no vectors of other folders.</summary>
    public Pooling? Pooling { get; init; }

    /// <summary>Whether those vectors have the length 1; null for what the folder says. An adapter's are as its own folder says.</summary>
    public bool? Normalises { get; init; }

    /// <summary>Whether vectors are computed as they are pooled, whatever length the folders say: whoever asks brings them to it.</summary>
    internal bool RawVectors { get; init; }

    /// <summary>Whether a model that can't answer without an adapter makes vectors, of whatever kind its folder is, as <see cref="TextEmbedder"/> does.</summary>
    internal bool EmbedsWithoutHead { get; init; }

    /// <summary>
    /// The most adapters that are in memory at once; null for all. Of the others the host knows the folder, and loads one again when it is asked for; the one that was asked for least recently
    /// makes room. Adapters of requests under way stay until those end, above the limit if need be.
    /// </summary>
    public int? MaxResident { get; init; }

    /// <summary>The same in bytes of adapters' tensors (<see cref="HostedAdapter.Bytes"/>); null for no limit.</summary>
    public long? MaxResidentBytes { get; init; }
}
