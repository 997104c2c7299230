namespace LoRA2.Native.Hosting.Queueing;

/// <summary>What a <see cref="BatchQueue{T}"/> holds itself to.</summary>
/// <param name="BatchTokens">Tokens of a batch, padding counted; an item that is longer by itself is a batch of its own.</param>
/// <param name="BatchItems">Items of a batch.</param>
/// <param name="QueuedItems">Items that may wait.</param>
/// <param name="Workers">Batches computed at a time.</param>
internal readonly record struct BatchLimits(int BatchTokens, int BatchItems, int QueuedItems, int Workers);
