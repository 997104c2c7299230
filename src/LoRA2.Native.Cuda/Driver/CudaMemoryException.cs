namespace LoRA2.Native.Cuda.Driver;

/// <summary>The device has not enough memory; the message says how much was asked for and how much there is.</summary>
public sealed class CudaMemoryException(string message) : OutOfMemoryException(message)
{
    /// <summary>So many bytes are not there.</summary>
    internal CudaMemoryException(string device, long free, long total, long bytes)
        : this($"{device} has {free >> 20} MB of its {total >> 20} MB free; {(bytes + (1 << 20) - 1) >> 20} MB more were needed")
    {
    }
}
