namespace LoRA2.Native.Tensors.Loading;

/// <summary>How a <see cref="DataLoader{TExample, TBatch}"/> makes batches.</summary>
public sealed record DataLoaderOptions
{
    /// <summary>Examples in a batch, at least 1; the last batch of an epoch may have fewer.</summary>
    public int BatchSize { get; init; } = 1;

    /// <summary>Whether the examples are put in another random order in every epoch.</summary>
    public bool Shuffle { get; init; }

    /// <summary>What the orders, and the random numbers handed to the collation, are drawn from.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether a last batch of fewer examples is left out.</summary>
    public bool DropLast { get; init; }

    /// <summary>Batches that are made at a time on threads of the pool while the caller works; with 0 each is made when it is asked for, on the caller's thread.</summary>
    public int Workers { get; init; }

    /// <summary>Batches that each worker may be ahead of the caller, at least 1.</summary>
    public int Prefetch { get; init; } = 2;

    /// <summary>The order of an epoch, in place of the whole data once: places in the data, any number, repeated or not. Excludes <see cref="Shuffle"/>.</summary>
    public Func<int, IReadOnlyList<int>>? Sampler { get; init; }

    internal void Require()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(Workers);
        ArgumentOutOfRangeException.ThrowIfLessThan(Prefetch, 1);
        if (Shuffle && Sampler is not null) throw new ArgumentException("a sampler gives the order itself: Shuffle must be off");
    }
}
