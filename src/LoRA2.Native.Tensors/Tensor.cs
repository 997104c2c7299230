namespace LoRA2.Native.Tensors;

/// <summary>A dense array.</summary>
public sealed class Tensor { }
