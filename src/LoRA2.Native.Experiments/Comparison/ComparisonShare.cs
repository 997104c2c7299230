namespace LoRA2.Native.Experiments.Comparison;

/// <summary>What one of several processes has of a comparison.</summary>
/// <param name="Leads">Whether it writes the results; it keeps the folder from others, before the comparison begins and until all are done.</param>
/// <param name="Claim">Asked before a cell's run: whether it is this process's. Of all processes one is told so.</param>
public sealed record ComparisonShare(bool Leads, Func<Cell, bool> Claim);
