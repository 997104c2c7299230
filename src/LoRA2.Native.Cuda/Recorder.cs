using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda;

/// <summary>
/// Builds a CUDA graph of the kernels that are started while it is the device's: one after the other, as in a stream. The graph is made node by node and not captured from
/// the stream, so that modules may be loaded and memory taken meanwhile.
/// </summary>
internal sealed unsafe class Recorder(ICudaDriver driver, MemoryPool constants, uint pass)
{
    private readonly nint graph = driver.CreateGraph();
    private readonly List<PassNode> ofPass = [];
    private readonly List<Storage> kept = [];
    private nint last;

    /// <summary>Adds a kernel. Its argument number <paramref name="streamAt"/>, when not negative, is the stream of a dropout mask, which has the pass's number in its lower half.</summary>
    public void Launch(nint kernel, Grid3 grid, Grid3 block, int sharedMemory, ulong* arguments, int count, int streamAt)
    {
        last = driver.AddKernel(graph, last, kernel, grid, block, sharedMemory, arguments, count);
        if (streamAt < 0) return;
        ofPass.Add(new PassNode(last, kernel, grid, block, sharedMemory, new ReadOnlySpan<ulong>(arguments, count).ToArray(), streamAt));
    }

    /// <summary>Adds the filling of memory.</summary>
    public void Fill(nint address, byte value, nuint bytes) => last = driver.AddFill(graph, last, address, value, bytes);

    /// <summary>Puts bytes, now and until the program ends, where kernels can read them.</summary>
    public nint Constant(void* from, nuint bytes)
    {
        Storage block = constants.Rent(bytes);
        kept.Add(block);
        driver.CopyIn((nint)block.Pointer, from, bytes);
        return (nint)block.Pointer;
    }

    /// <summary>The program of all that was recorded.</summary>
    public DeviceProgram Finish(CudaDevice device) => new CudaProgram(device, driver, driver.Instantiate(graph), graph, pass, [.. ofPass], [.. kept]);

    /// <summary>Gives up what was recorded.</summary>
    public void Abandon()
    {
        driver.DestroyGraph(graph);
        foreach (Storage block in kept) block.Release();
    }
}

/// <summary>A kernel of a graph that has another argument in every pass.</summary>
internal sealed record PassNode(nint Node, nint Kernel, Grid3 Grid, Grid3 Block, int SharedMemory, ulong[] Arguments, int StreamAt);

/// <summary>A CUDA graph, ready to be started.</summary>
internal sealed unsafe class CudaProgram(CudaDevice device, ICudaDriver driver, nint executable, nint graph, uint pass, PassNode[] ofPass, Storage[] kept) : DeviceProgram
{
    private uint current = pass;
    private bool disposed;

    public override void Run(uint pass)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (pass != current)
        {
            foreach (PassNode node in ofPass)
            {
                ulong stream = node.Arguments[node.StreamAt];
                // A recording of several passes in a row keeps their distances.
                node.Arguments[node.StreamAt] = (stream & ~(ulong)uint.MaxValue) | ((uint)stream + (pass - current));
                fixed (ulong* arguments = node.Arguments)
                    driver.SetKernel(executable, node.Node, node.Kernel, node.Grid, node.Block, node.SharedMemory, arguments, node.Arguments.Length);
            }

            current = pass;
        }

        driver.LaunchGraph(executable);
    }

    public override void Dispose()
    {
        if (disposed) return;
        disposed = true;
        driver.DestroyExecutable(executable);
        driver.DestroyGraph(graph);
        foreach (Storage block in kept) block.Release();
        device.Ended();
    }
}
