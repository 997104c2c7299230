namespace LoRA2.Native.Hosting.Queueing;

/// <summary>So many texts wait already that no more are taken: the caller should come back later.</summary>
/// <param name="waiting">Texts that wait.</param>
/// <param name="most">Texts that may wait.</param>
/// <param name="retryAfter">When there will be room, as far as the last batches tell.</param>
public sealed class QueueFullException(int waiting, int most, TimeSpan retryAfter)
    : Exception($"{waiting:N0} texts wait already, and {most:N0} may; try again in {Math.Ceiling(retryAfter.TotalSeconds):N0} s")
{
    /// <summary>When there will be room, as far as the last batches tell.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}
