using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda;

/// <summary>An NVIDIA GPU, through its driver alone. Kernels are PTX that comes with this library and that the driver compiles when first used.</summary>
/// <example><code>
/// using CudaDevice gpu = CudaDevice.Open();
/// using Tensor x = Tensor.From(values, [rows, columns]).To(gpu);
/// Tensor y = Ops.Gelu(x);                  // computed on the GPU, and there
/// </code></example>
public sealed unsafe class CudaDevice : Device, IDisposable
{
    private readonly ICudaDriver driver;

    internal CudaDevice(ICudaDriver driver, int ordinal)
    {
        this.driver = driver;
        Ordinal = ordinal;
        Memory = new MemoryPool(this);
        Kernels = new CudaKernels(this, driver);
    }

    /// <summary>The GPU's number.</summary>
    public int Ordinal { get; }

    /// <inheritdoc/>
    public override string Name => $"cuda:{Ordinal}";

    /// <summary>What NVIDIA calls it.</summary>
    public string Model => driver.DeviceName;

    /// <summary>Bytes of its memory that nobody uses now, and all.</summary>
    public (long Free, long Total) MemoryBytes => driver.Memory;

    /// <inheritdoc/>
    public override Kernels Kernels { get; }

    /// <inheritdoc/>
    public override MemoryPool Memory { get; }

    /// <summary>Opens a GPU.</summary>
    /// <param name="ordinal">Its number, from 0.</param>
    /// <exception cref="CudaException">There is no driver, no such GPU, or one too old; the message says which.</exception>
    public static CudaDevice Open(int ordinal = 0) => new(new CudaDriver(ordinal), ordinal);

    /// <inheritdoc/>
    public override void Synchronize() => driver.Synchronize();

    /// <summary>Gives the GPU back. Tensors on it can't be used any more.</summary>
    public void Dispose() => driver.Dispose();

    internal override bool ChecksAccesses => driver.ChecksAccesses;

    internal override byte* Allocate(nuint bytes) => (byte*)driver.Allocate(bytes);

    internal override void Free(byte* block) => driver.Free((nint)block);

    internal override void Clear(byte* to, nuint bytes) => driver.Fill((nint)to, 0, bytes);

    internal override void CopyIn(byte* to, byte* from, nuint bytes) => driver.CopyIn((nint)to, from, bytes);

    internal override void CopyOut(byte* to, byte* from, nuint bytes) => driver.CopyOut(to, (nint)from, bytes);
}
