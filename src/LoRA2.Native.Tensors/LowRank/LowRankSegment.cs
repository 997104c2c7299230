namespace LoRA2.Native.Tensors.LowRank;

/// <summary>Rows that follow each other, and the update s (x Aᵀ) Bᵀ that they get (<see cref="Ops.SegmentedLoRALinear"/>).</summary>
/// <param name="Rows">How many rows.</param>
/// <param name="A">[r, in], or null for rows without an update.</param>
/// <param name="B">[out, r]; null where A is.</param>
/// <param name="Scale">s.</param>
public readonly record struct LowRankSegment(int Rows, Tensor? A = null, Tensor? B = null, double Scale = 1);
