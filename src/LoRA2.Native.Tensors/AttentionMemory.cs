namespace LoRA2.Native.Tensors;

/// <summary>What an attention's backward pass takes of its forward pass, beside q, k and v.</summary>
/// <param name="Kept">Shape of what the forward pass keeps for it; null for nothing, so that it computes the probabilities again.</param>
/// <param name="Result">Whether it takes the forward pass's result.</param>
public readonly record struct AttentionMemory(Shape? Kept, bool Result);
