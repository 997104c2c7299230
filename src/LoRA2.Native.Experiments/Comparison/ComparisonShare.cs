namespace LoRA2.Native.Experiments.Comparison;

/// <summary>What one of several processes has of a comparison.</summary>
/// <param name="Leads">Whether it keeps the folder from others and writes the results.</param>
/// <param name="Claim">Asked before a cell's run: whether it is this process's. Of all processes one is told so.</param>
public sealed record ComparisonShare(bool Leads, Func<Cell, bool> Claim);
