namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>The gradient of y, and where the others go; null when not wanted.</summary>
internal unsafe struct AttentionGradientPointers<T>
    where T : unmanaged
{
    public T* Dy;
    public T* Q;
    public T* K;
    public T* V;
    public T* PositionKey;
    public T* PositionQuery;
}
