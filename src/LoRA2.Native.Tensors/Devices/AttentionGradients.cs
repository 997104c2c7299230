namespace LoRA2.Native.Tensors.Devices;

/// <summary>Where the gradients of an attention go; null when not wanted.</summary>
internal readonly record struct AttentionGradients(Tensor? Query, Tensor? Key, Tensor? Value, Tensor? PositionKey, Tensor? PositionQuery);
