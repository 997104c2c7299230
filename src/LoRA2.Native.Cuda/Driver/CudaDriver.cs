using System.Runtime.InteropServices;

namespace LoRA2.Native.Cuda.Driver;

/// <summary>A device of NVIDIA's driver.</summary>
internal sealed unsafe class CudaDriver : ICudaDriver
{
    private const int OutOfMemory = 2;
    private const int NoDevice = 100;
    private const int AttributeMultiprocessors = 16;
    private const int AttributeMajor = 75;
    private const int AttributeMinor = 76;
    private const int AttributeSharedMemory = 97;
    private const int FunctionDynamicSharedMemory = 8;
    private const int JitErrorLog = 5;
    private const int JitErrorLogBytes = 6;
    private const uint NonBlocking = 1;
    private const int LogBytes = 8192;

    /// <summary>The first driver that compiles the PTX here: version 7.0 of the language came with CUDA 11.0.</summary>
    private const int LeastVersion = 11000;

    /// <summary>The PTX is for sm_80 and later.</summary>
    private const int LeastCapability = 80;

    [ThreadStatic]
    private static nint currentContext;

    private readonly int device;
    private readonly nint context;
    private readonly nint stream;
    private readonly HashSet<nint> blocks = [];
    private volatile bool failed;
    private bool disposed;

    /// <summary>Opens device number <paramref name="ordinal"/>.</summary>
    /// <exception cref="CudaException">There is no driver, no such device, or one too old; the message says which.</exception>
    /// <exception cref="CudaMemoryException">Others have taken all of the device's memory.</exception>
    public CudaDriver(int ordinal)
    {
        int version, count;
        try
        {
            int status = LibCuda.Init(0);
            if (status == NoDevice) throw new CudaException("the NVIDIA driver finds no GPU", status);
            Check(status, "start the NVIDIA driver");
            Check(LibCuda.DriverGetVersion(out version), "ask the driver's version");
            Check(LibCuda.DeviceGetCount(out count), "count the GPUs");
        }
        catch (DllNotFoundException)
        {
            throw new CudaException($"there is no NVIDIA driver: {string.Join(" or ", LibCuda.FileNames)} was not found");
        }
        catch (EntryPointNotFoundException e)
        {
            throw new CudaException($"the NVIDIA driver is too old: {e.Message}");
        }

        if (version < LeastVersion) throw new CudaException($"the NVIDIA driver is for CUDA {version / 1000}.{version % 1000 / 10}; {LeastVersion / 1000}.{LeastVersion % 1000 / 10} or later is needed");
        if (ordinal < 0 || ordinal >= count) throw new CudaException(count == 0 ? "the NVIDIA driver finds no GPU" : $"there is no GPU number {ordinal}; the last is {count - 1}");
        Check(LibCuda.DeviceGet(out device, ordinal), "open the GPU");
        ComputeCapability = (10 * Attribute(AttributeMajor)) + Attribute(AttributeMinor);
        DeviceName = NameOf();
        if (ComputeCapability < LeastCapability)
            throw new CudaException($"{DeviceName} has compute capability {ComputeCapability / 10}.{ComputeCapability % 10}; {LeastCapability / 10}.{LeastCapability % 10} (Ampere) or later is needed");
        Multiprocessors = Attribute(AttributeMultiprocessors);
        SharedMemoryPerBlock = Attribute(AttributeSharedMemory);
        Check(LibCuda.PrimaryContextRetain(out context, device), "open the GPU");
        try
        {
            Enter();
            Check(LibCuda.StreamCreate(out stream, NonBlocking), "make a stream");
        }
        catch
        {
            _ = LibCuda.PrimaryContextRelease(device);
            currentContext = 0;
            throw;
        }
    }

    public string DeviceName { get; } = "the GPU";

    public int ComputeCapability { get; }

    public int Multiprocessors { get; }

    public int SharedMemoryPerBlock { get; }

    public (long Free, long Total) Memory
    {
        get
        {
            Enter();
            Check(LibCuda.MemoryInfo(out nuint free, out nuint total), "ask for the memory's size");
            return ((long)free, (long)total);
        }
    }

    public nint Allocate(nuint bytes)
    {
        Enter();
        int status = LibCuda.MemoryAllocate(out nint address, bytes);
        if (status == OutOfMemory)
        {
            (long free, long total) = Memory;
            throw new CudaMemoryException(DeviceName, free, total, (long)bytes);
        }

        Check(status, $"allocate {bytes} bytes");
        lock (blocks) blocks.Add(address);
        return address;
    }

    public void Free(nint address)
    {
        // A finalizer may come after the device was closed; its memory went with it.
        lock (blocks)
        {
            if (!blocks.Remove(address)) return;
        }

        Enter();
        Release(LibCuda.MemoryFree(address), "free memory");
    }

    public void Fill(nint address, byte value, nuint bytes)
    {
        if (bytes == 0) return;
        Enter();
        Check(LibCuda.MemoryFill(address, value, bytes, stream), "fill memory");
    }

    public void CopyIn(nint to, void* from, nuint bytes)
    {
        if (bytes == 0) return;
        Enter();
        Check(LibCuda.CopyIn(to, from, bytes, stream), "copy to the GPU");
    }

    public void CopyOut(void* to, nint from, nuint bytes)
    {
        if (bytes == 0) return;
        Enter();
        Check(LibCuda.CopyOut(to, from, bytes, stream), "copy from the GPU");
        Synchronize();
    }

    public nint LoadModule(string name, ReadOnlySpan<byte> ptx)
    {
        Enter();
        byte[] text = new byte[ptx.Length + 1];
        ptx.CopyTo(text);
        byte[] log = new byte[LogBytes];
        int* options = stackalloc int[2] { JitErrorLog, JitErrorLogBytes };
        fixed (byte* image = text, errors = log)
        {
            void** values = stackalloc void*[2] { errors, (void*)LogBytes };
            int status = LibCuda.ModuleLoad(out nint module, image, 2, options, values);
            if (status == 0) return module;
            if (status == OutOfMemory) Check(status, $"compile {name}");
            throw new CudaException(CompilationFailure(name, Named(status), Marshal.PtrToStringUTF8((nint)errors) ?? ""), status);
        }
    }

    public nint GetKernel(nint module, string name, int dynamicSharedMemory)
    {
        Enter();
        Check(LibCuda.ModuleGetFunction(out nint kernel, module, name), $"find kernel {name}");
        if (dynamicSharedMemory > 0)
            Check(LibCuda.FunctionSetAttribute(kernel, FunctionDynamicSharedMemory, dynamicSharedMemory), $"give kernel {name} {dynamicSharedMemory} bytes of shared memory");
        return kernel;
    }

    public void Launch(nint kernel, Grid3 grid, Grid3 block, int sharedMemory, ulong* arguments, int count)
    {
        Enter();
        void** addresses = stackalloc void*[count];
        for (int i = 0; i < count; i++) addresses[i] = arguments + i;
        int status = LibCuda.Launch(kernel, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)block.X, (uint)block.Y, (uint)block.Z, (uint)sharedMemory, stream, addresses, null);
        Check(status, "start a kernel");
    }

    public nint CreateGraph()
    {
        Enter();
        Check(LibCuda.GraphCreate(out nint graph, 0), "make a graph");
        return graph;
    }

    public nint AddKernel(nint graph, nint after, nint kernel, Grid3 grid, Grid3 block, int sharedMemory, ulong* arguments, int count)
    {
        Enter();
        void** addresses = stackalloc void*[count];
        LibCuda.KernelNode parameters = NodeOf(kernel, grid, block, sharedMemory, arguments, count, addresses);
        Check(LibCuda.GraphAddKernel(out nint node, graph, &after, after == 0 ? 0u : 1u, &parameters), "add a kernel to a graph");
        return node;
    }

    public nint AddFill(nint graph, nint after, nint address, byte value, nuint bytes)
    {
        Enter();
        var parameters = new LibCuda.FillNode { Address = address, Pitch = bytes, Value = value, ElementBytes = 1, Width = bytes, Height = 1 };
        Check(LibCuda.GraphAddFill(out nint node, graph, &after, after == 0 ? 0u : 1u, &parameters, context), "add a fill to a graph");
        return node;
    }

    public nint Instantiate(nint graph)
    {
        Enter();
        Check(LibCuda.GraphInstantiate(out nint executable, graph, null, null, 0), "make a graph ready");
        return executable;
    }

    public void SetKernel(nint executable, nint node, nint kernel, Grid3 grid, Grid3 block, int sharedMemory, ulong* arguments, int count)
    {
        Enter();
        void** addresses = stackalloc void*[count];
        LibCuda.KernelNode parameters = NodeOf(kernel, grid, block, sharedMemory, arguments, count, addresses);
        Check(LibCuda.GraphSetKernel(executable, node, &parameters), "change a kernel of a graph");
    }

    public void LaunchGraph(nint executable)
    {
        Enter();
        Check(LibCuda.GraphLaunch(executable, stream), "start a graph");
    }

    public void DestroyExecutable(nint executable)
    {
        if (disposed) return;
        Enter();
        Release(LibCuda.GraphExecutableDestroy(executable), "give up a graph");
    }

    public void DestroyGraph(nint graph)
    {
        if (disposed) return;
        Enter();
        Release(LibCuda.GraphDestroy(graph), "give up a graph");
    }

    public void Synchronize()
    {
        Enter();
        Check(LibCuda.StreamSynchronize(stream), "run the kernels");
    }

    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        Enter();
        // The context is the process's, and others may go on using it.
        lock (blocks)
        {
            foreach (nint block in blocks) _ = LibCuda.MemoryFree(block);
            blocks.Clear();
        }

        _ = LibCuda.StreamDestroy(stream);
        _ = LibCuda.PrimaryContextRelease(device);
        currentContext = 0;
    }

    private static LibCuda.KernelNode NodeOf(nint kernel, Grid3 grid, Grid3 block, int sharedMemory, ulong* arguments, int count, void** addresses)
    {
        for (int i = 0; i < count; i++) addresses[i] = arguments + i;
        return new LibCuda.KernelNode
        {
            Function = kernel,
            GridX = (uint)grid.X,
            GridY = (uint)grid.Y,
            GridZ = (uint)grid.Z,
            BlockX = (uint)block.X,
            BlockY = (uint)block.Y,
            BlockZ = (uint)block.Z,
            SharedMemory = (uint)sharedMemory,
            Arguments = addresses,
        };
    }

    /// <summary>One sentence of what the driver's compiler had to say, in however many lines.</summary>
    internal static string CompilationFailure(string kernel, string status, string log)
    {
        string[] lines = log.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return $"the NVIDIA driver did not compile the kernel {kernel}: {string.Join("; ", [status, .. lines])}";
    }

    private string NameOf()
    {
        byte* name = stackalloc byte[256];
        Check(LibCuda.DeviceGetName(name, 256, device), "ask the GPU's name");
        return Marshal.PtrToStringUTF8((nint)name) ?? "GPU";
    }

    private void Check(int status, string what)
    {
        if (status == 0) return;
        if (status == OutOfMemory) throw new CudaMemoryException($"can't {what}: {DeviceName} has not enough free memory");
        failed = true;
        throw new CudaException($"can't {what}: {Named(status)}", status);
    }

    /// <summary>Checks what gives something back, unless the device has failed before: then nothing can be, and that failure is the one to hear of.</summary>
    private void Release(int status, string what)
    {
        if (!failed) Check(status, what);
    }

    private static string Named(int status)
    {
        if (LibCuda.GetErrorName(status, out byte* name) != 0 || LibCuda.GetErrorString(status, out byte* text) != 0) return $"error {status}";
        return $"{Marshal.PtrToStringUTF8((nint)name)} ({Marshal.PtrToStringUTF8((nint)text)})";
    }

    private int Attribute(int attribute)
    {
        Check(LibCuda.DeviceGetAttribute(out int value, attribute, device), "ask about the GPU");
        return value;
    }

    /// <summary>The driver works on the calling thread's current context.</summary>
    private void Enter()
    {
        if (currentContext == context) return;
        Check(LibCuda.ContextSetCurrent(context), $"use {DeviceName}");
        currentContext = context;
    }
}
