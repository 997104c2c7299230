namespace LoRA2.Native.Tensors;

/// <summary>A thread's use of a device, see <see cref="Device.Use"/>. Uses end in the reverse order of their beginnings.</summary>
public readonly struct DeviceUse : IDisposable
{
    private readonly Device before;

    internal DeviceUse(Device before) => this.before = before;

    /// <summary>Goes back to the device that was current before.</summary>
    public void Dispose()
    {
        if (before is not null) Device.Return(before);
    }
}
