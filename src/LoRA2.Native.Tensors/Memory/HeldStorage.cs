namespace LoRA2.Native.Tensors.Memory;

/// <summary>One more owner of a block, as long as it is read or written from here: a tensor's disposal on another thread does not take it away.</summary>
internal readonly ref struct HeldStorage(Storage storage) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => storage.Release();
}
