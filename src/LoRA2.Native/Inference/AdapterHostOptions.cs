namespace LoRA2.Native.Inference;

/// <summary>How an <see cref="AdapterHost"/> keeps its adapters.</summary>
public sealed record AdapterHostOptions
{
    /// <summary>Tokens after which every input is cut; null for each adapter's own length.</summary>
    public int? MaxLength { get; init; }

    /// <summary>
    /// The most adapters that are in memory at once; null for all. Of the others the host knows the folder, and loads one again when it is asked for; the one that was asked for least recently
    /// makes room. Adapters of requests under way stay until those end, above the limit if need be.
    /// </summary>
    public int? MaxResident { get; init; }

    /// <summary>The same in bytes of adapters' tensors (<see cref="HostedAdapter.Bytes"/>); null for no limit.</summary>
    public long? MaxResidentBytes { get; init; }
}
