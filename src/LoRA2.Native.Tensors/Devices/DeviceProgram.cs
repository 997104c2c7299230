namespace LoRA2.Native.Tensors.Devices;

/// <summary>
/// Kernels that a device runs again as they were once recorded (<see cref="Device.Record"/>), on the memory they were recorded with: tensors made before keep
/// their place, those made meanwhile are all programs' own, and hold nothing from one run to the next.
/// </summary>
internal abstract class DeviceProgram : IDisposable
{
    /// <summary>Starts them all, as for pass number <paramref name="pass"/>: every dropout draws that pass's mask.</summary>
    public abstract void Run(uint pass);

    /// <summary>Gives up what it needs on the device.</summary>
    public abstract void Dispose();
}
