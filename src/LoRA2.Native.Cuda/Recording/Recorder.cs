using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Cuda.Recording;

/// <summary>
/// Keeps the kernels that are started while it is the device's, and makes of them a CUDA graph, one after the other as in a stream. Nothing is compiled or asked of the driver
/// before all of them are known, so that all are compiled at once.
/// </summary>
internal sealed unsafe class Recorder(ICudaDriver driver, KernelLibrary library, MemoryPool constants, uint pass)
{
    private readonly List<RecordedNode> nodes = [];
    private readonly List<Storage> kept = [];

    /// <summary>Adds a kernel. Its argument number <paramref name="streamAt"/>, when not negative, is the stream of a dropout mask, which has the pass's number in its lower half.</summary>
    public void Launch(Kernel kernel, Grid3 grid, Grid3 block, ReadOnlySpan<ulong> arguments, int streamAt) =>
        nodes.Add(new RecordedKernel(kernel, grid, block, arguments.ToArray(), streamAt));

    /// <summary>Adds the filling of memory.</summary>
    public void Fill(nint address, byte value, nuint bytes) => nodes.Add(new RecordedFill(address, value, bytes));

    /// <summary>Puts bytes, now and until the program ends, where kernels can read them.</summary>
    public Address Constant(void* from, nuint bytes)
    {
        Storage block = constants.Rent(bytes);
        kept.Add(block);
        driver.CopyIn((nint)block.Pointer, from, bytes);
        return block;
    }

    /// <summary>The program of all that was recorded.</summary>
    public DeviceProgram Finish(CudaDevice device)
    {
        library.Load(nodes.OfType<RecordedKernel>().Select(node => node.Kernel));
        nint graph = driver.CreateGraph();
        try
        {
            var ofPass = new List<PassNode>();
            nint last = 0;
            foreach (RecordedNode node in nodes)
            {
                switch (node)
                {
                    case RecordedFill fill:
                        last = driver.AddFill(graph, last, fill.Address, fill.Value, fill.Bytes);
                        break;
                    case RecordedKernel start:
                        nint kernel = library.Find(start.Kernel);
                        fixed (ulong* arguments = start.Arguments)
                            last = driver.AddKernel(graph, last, kernel, start.Grid, start.Block, start.Kernel.DynamicSharedMemory, arguments, start.Arguments.Length);
                        if (start.StreamAt >= 0) ofPass.Add(new PassNode(last, kernel, start));
                        break;
                }
            }

            return new CudaProgram(device, driver, driver.Instantiate(graph), graph, pass, [.. ofPass], [.. kept]);
        }
        catch
        {
            driver.DestroyGraph(graph);
            throw;
        }
    }

    /// <summary>Gives up what was recorded.</summary>
    public void Abandon()
    {
        foreach (Storage block in kept) block.Release();
    }
}
