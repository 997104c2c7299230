using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Cuda.Operations;
using LoRA2.Native.Cuda.Recording;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

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
    private readonly KernelLibrary library;
    private readonly CudaKernels kernels;
    private readonly MemoryPool ordinary;
    private readonly MemoryPool ofPrograms;
    private int programs;

    internal CudaDevice(ICudaDriver driver, int ordinal)
    {
        this.driver = driver;
        Ordinal = ordinal;
        ordinary = new MemoryPool(this);
        ofPrograms = new MemoryPool(this, keeps: true);
        library = new KernelLibrary(driver);
        kernels = new CudaKernels(this, driver, library);
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
    internal override Kernels Kernels => kernels;

    /// <summary>The memory of every tensor here; while something is recorded, that of programs, which take turns with it.</summary>
    public override MemoryPool Memory => Recorder is null ? ordinary : ofPrograms;

    /// <inheritdoc/>
    internal override bool Records => MayRecord;

    /// <summary>Whether steps that repeat themselves become CUDA graphs; results have the same bits either way.</summary>
    public bool MayRecord { get; set; } = true;

    /// <summary>What receives the kernels that are started, instead of the stream; null for the stream.</summary>
    internal Recorder? Recorder { get; private set; }

    /// <summary>Opens a GPU.</summary>
    /// <param name="ordinal">Its number, from 0.</param>
    /// <exception cref="CudaException">There is no driver, no such GPU, or one too old; the message says which.</exception>
    /// <exception cref="CudaMemoryException">Others have taken all of its memory.</exception>
    public static CudaDevice Open(int ordinal = 0) => Open(new CudaDriver(ordinal), ordinal);

    /// <inheritdoc/>
    public override void Synchronize() => driver.Synchronize();

    /// <summary>The most bytes that tensors, and the tensors of programs, have taken here.</summary>
    public long PeakBytes => ordinary.PeakBytesInUse + ofPrograms.PeakBytesInUse;

    /// <summary>The bytes of the GPU's memory that are held for tensors and for the tensors of programs, used now or not.</summary>
    public long ReservedBytes => ordinary.BytesReserved + ofPrograms.BytesReserved;

    /// <inheritdoc/>
    internal override DeviceProgram Record(uint pass, Action work)
    {
        if (Recorder is not null) throw new InvalidOperationException($"{Name} is recording already");
        var recorder = new Recorder(driver, library, ordinary, pass);
        Recorder = recorder;
        try
        {
            work();
            DeviceProgram program = recorder.Finish(this);
            programs++;
            return program;
        }
        catch
        {
            recorder.Abandon();
            if (programs == 0) ofPrograms.Trim();
            throw;
        }
        finally
        {
            Recorder = null;
        }
    }

    /// <inheritdoc/>
    internal override void Apart(Action work)
    {
        Recorder? recorder = Recorder;
        Recorder = null;
        try
        {
            work();
        }
        finally
        {
            Recorder = recorder;
        }
    }

    /// <summary>Gives the GPU back. Tensors on it can't be used any more.</summary>
    public void Dispose() => driver.Dispose();

    internal override bool ChecksAccesses => driver.ChecksAccesses;

    /// <summary>Opens a GPU through its driver, of which the first kernel shows whether it compiles any.</summary>
    internal static CudaDevice Open(ICudaDriver driver, int ordinal)
    {
        var device = new CudaDevice(driver, ordinal);
        try
        {
            device.library.Find(KernelLaunchers.All.MinBy(kernel => kernel.Ptx.Length)!);
            return device;
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>Where there is not enough memory, what tensors have left behind goes back first; what programs have used is still theirs.</summary>
    internal override byte* Allocate(nuint bytes)
    {
        try
        {
            return (byte*)driver.Allocate(bytes);
        }
        catch (CudaMemoryException)
        {
            ordinary.Trim();
            return (byte*)driver.Allocate(bytes);
        }
    }

    internal override void Free(byte* block) => driver.Free((nint)block);

    /// <summary>A program is no more; the last gives its memory back.</summary>
    internal void Ended()
    {
        if (--programs == 0) ofPrograms.Trim();
    }

    internal override void Clear(byte* to, nuint bytes)
    {
        if (bytes == 0) return;
        if (Recorder is null) driver.Fill((nint)to, 0, bytes);
        else Recorder.Fill((nint)to, 0, bytes);
    }

    internal override void CopyIn(byte* to, byte* from, nuint bytes)
    {
        if (Recorder is not { } recorder)
        {
            driver.CopyIn((nint)to, from, bytes);
            return;
        }

        // The program's memory is its own only while it runs: it copies from where the bytes stay.
        if (bytes % 4 != 0) throw new NotSupportedException($"{bytes} bytes, no whole number of words, are copied to {Name} while it records");
        if (bytes > 0) kernels.CopyWords(recorder.Constant(from, bytes), new Address((nint)to), bytes);
    }

    internal override void CopyOut(byte* to, byte* from, nuint bytes)
    {
        if (Recorder is not null) throw new InvalidOperationException($"nothing can be read back while {Name} records");
        driver.CopyOut(to, (nint)from, bytes);
    }
}
