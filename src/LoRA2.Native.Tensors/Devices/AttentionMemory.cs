namespace LoRA2.Native.Tensors.Devices;

/// <summary>What an attention's backward pass takes of its forward pass.</summary>
/// <param name="Kept">Shape of what the forward pass keeps for it; null for nothing, so that it computes the probabilities again.</param>
/// <param name="Result">Whether it takes the forward pass's result.</param>
/// <param name="Inputs">Whether it reads q, k and v; else what is kept has them.</param>
internal readonly record struct AttentionMemory(Shape? Kept, bool Result, bool Inputs);
