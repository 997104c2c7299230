using System.Text;
using LoRA2.Native.Cuda.Driver;

namespace LoRA2.Native.Cuda.Tests.Emulation;

/// <summary>A device that runs PTX on the processor: what the backend's tests have where there is no GPU.</summary>
internal sealed unsafe class EmulatedDriver : ICudaDriver
{
    private const long MemoryBytes = 8L << 30;

    private readonly Lock gate = new();
    private readonly List<PtxModule> modules = [];
    private readonly List<(PtxKernel Kernel, int SharedBytes)> kernels = [];
    private readonly Dictionary<nint, nuint> sizes = [];
    private nuint used;
    private bool disposed;

    /// <summary>The machine: its checks and its counts of instructions.</summary>
    public PtxMachine Machine { get; } = new();

    public string DeviceName => "PTX interpreter";

    public int ComputeCapability => 80;

    public int Multiprocessors => 4;

    public int SharedMemoryPerBlock => Machine.SharedMemoryLimit;

    public (long Free, long Total) Memory
    {
        get
        {
            lock (gate)
                return (MemoryBytes - (long)used, MemoryBytes);
        }
    }

    public bool ChecksAccesses => true;

    public nint Allocate(nuint bytes)
    {
        lock (gate)
        {
            if ((long)used + (long)bytes > MemoryBytes)
                throw new CudaMemoryException($"{DeviceName} has {(MemoryBytes - (long)used) >> 20} MB of its {MemoryBytes >> 20} MB free; {(long)bytes >> 20} MB more were needed");
            var address = Machine.Allocate((long)bytes);
            sizes.Add(address, bytes);
            used += bytes;
            return address;
        }
    }

    public void Free(nint address)
    {
        lock (gate)
        {
            // A finalizer may come after the device was closed; its memory went with it.
            if (disposed)
                return;
            Machine.Free(address);
            sizes.Remove(address, out var bytes);
            used -= bytes;
        }
    }

    public void Fill(nint address, byte value, nuint bytes)
    {
        Machine.Check(address, (long)bytes, "filled");
        new Span<byte>((void*)address, checked((int)bytes)).Fill(value);
    }

    public void CopyIn(nint to, void* from, nuint bytes)
    {
        Machine.Check(to, (long)bytes, "copied to");
        Buffer.MemoryCopy(from, (void*)to, bytes, bytes);
    }

    public void CopyOut(void* to, nint from, nuint bytes)
    {
        Machine.Check(from, (long)bytes, "copied from");
        Buffer.MemoryCopy((void*)from, to, bytes, bytes);
    }

    public nint LoadModule(string name, ReadOnlySpan<byte> ptx)
    {
        var module = PtxModule.Parse(Encoding.UTF8.GetString(ptx));
        lock (gate)
        {
            modules.Add(module);
            return modules.Count;
        }
    }

    public nint GetKernel(nint module, string name, int dynamicSharedMemory)
    {
        lock (gate)
        {
            kernels.Add((modules[(int)module - 1][name], dynamicSharedMemory));
            return kernels.Count;
        }
    }

    public void Launch(nint kernel, Grid3 grid, Grid3 block, int sharedMemory, ulong* arguments, int count)
    {
        var (code, allowed) = At(kernel);
        if (sharedMemory > Math.Max(allowed, 48 * 1024))
            throw new CudaException($"can't start a kernel: '{code.Name}' asks for {sharedMemory} bytes of dynamic shared memory, but was got for {allowed}");
        Machine.Launch(code, grid, block, sharedMemory, new ReadOnlySpan<ulong>(arguments, count));
    }

    public void Synchronize()
    {
    }

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            Machine.Dispose();
        }
    }

    private (PtxKernel Kernel, int SharedBytes) At(nint kernel)
    {
        lock (gate)
            return kernels[(int)kernel - 1];
    }
}
