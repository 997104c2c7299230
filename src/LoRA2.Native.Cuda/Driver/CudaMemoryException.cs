namespace LoRA2.Native.Cuda.Driver;

/// <summary>The device has not enough memory; the message says how much was asked for and how much there is.</summary>
public sealed class CudaMemoryException(string message) : OutOfMemoryException(message);
