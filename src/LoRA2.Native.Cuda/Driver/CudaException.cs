namespace LoRA2.Native.Cuda.Driver;

/// <summary>The CUDA driver refused, or the device failed.</summary>
public sealed class CudaException(string message, int status = 0) : Exception(message)
{
    /// <summary>The driver's status code (CUresult), 0 when the failure is not the driver's.</summary>
    public int Status => status;
}
