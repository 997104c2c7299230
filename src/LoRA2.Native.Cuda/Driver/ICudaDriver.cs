namespace LoRA2.Native.Cuda.Driver;

/// <summary>
/// What the backend asks of a CUDA device: memory, modules of PTX, and one stream in which everything started runs in order. Addresses and handles are
/// the driver's. Every failure is a <see cref="CudaException"/>.
/// </summary>
internal unsafe interface ICudaDriver : IDisposable
{
    /// <summary>The device's name, "NVIDIA H200".</summary>
    string DeviceName { get; }

    /// <summary>10 · major + minor of the compute capability.</summary>
    int ComputeCapability { get; }

    int Multiprocessors { get; }

    /// <summary>Bytes of shared memory that one block may ask for.</summary>
    int SharedMemoryPerBlock { get; }

    /// <summary>Bytes of the device's memory: free now, and all.</summary>
    (long Free, long Total) Memory { get; }

    /// <summary>Whether every access of a kernel is checked against what was allocated.</summary>
    bool ChecksAccesses => false;

    nint Allocate(nuint bytes);

    void Free(nint address);

    /// <summary>Fills with a byte, in the stream.</summary>
    void Fill(nint address, byte value, nuint bytes);

    /// <summary>Copies from this process's memory in the stream; the source may be changed on return.</summary>
    void CopyIn(nint to, void* from, nuint bytes);

    /// <summary>Copies to this process's memory after everything started before; done on return.</summary>
    void CopyOut(void* to, nint from, nuint bytes);

    /// <summary>Compiles PTX for the device.</summary>
    nint LoadModule(string name, ReadOnlySpan<byte> ptx);

    /// <summary>A kernel of a module.</summary>
    /// <param name="module">From <see cref="LoadModule"/>.</param>
    /// <param name="name">The entry's name.</param>
    /// <param name="dynamicSharedMemory">The most bytes of dynamic shared memory that a launch will ask for.</param>
    nint GetKernel(nint module, string name, int dynamicSharedMemory);

    /// <summary>Starts a kernel in the stream. Each argument is 8 bytes, of which the kernel takes as many as its parameter has.</summary>
    void Launch(nint kernel, Grid3 grid, Grid3 block, int sharedMemory, ulong* arguments, int count);

    /// <summary>An empty graph.</summary>
    nint CreateGraph();

    /// <summary>Adds a kernel, to run after node <paramref name="after"/> (0: at once), and returns its node.</summary>
    nint AddKernel(nint graph, nint after, nint kernel, Grid3 grid, Grid3 block, int sharedMemory, ulong* arguments, int count);

    /// <summary>Adds the filling of memory with a byte.</summary>
    nint AddFill(nint graph, nint after, nint address, byte value, nuint bytes);

    /// <summary>Makes a graph ready to be started. Its nodes keep the handles they had.</summary>
    nint Instantiate(nint graph);

    /// <summary>Gives a kernel of a graph that is ready other arguments; nothing else may differ.</summary>
    void SetKernel(nint executable, nint node, nint kernel, Grid3 grid, Grid3 block, int sharedMemory, ulong* arguments, int count);

    /// <summary>Starts a graph in the stream.</summary>
    void LaunchGraph(nint executable);

    void DestroyExecutable(nint executable);

    void DestroyGraph(nint graph);

    /// <summary>Waits for the stream.</summary>
    void Synchronize();
}
