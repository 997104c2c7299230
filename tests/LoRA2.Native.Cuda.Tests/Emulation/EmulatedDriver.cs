using System.Collections.Concurrent;
using System.Text;
using LoRA2.Native.Cuda.Driver;

namespace LoRA2.Native.Cuda.Tests.Emulation;

/// <summary>A device that runs PTX on the processor: what the backend's tests have where there is no GPU.</summary>
internal sealed unsafe class EmulatedDriver : ICudaDriver
{
    // Texts decoded before, by whichever device: what is decoded holds no state of an execution.
    private static readonly ConcurrentDictionary<string, PtxModule> Decoded = [];

    private readonly Lock gate = new();
    private readonly List<PtxModule> modules = [];
    private readonly List<(PtxKernel Kernel, int SharedBytes)> kernels = [];
    private readonly Dictionary<nint, nuint> sizes = [];
    private readonly Dictionary<nint, List<EmulatedNode>> graphs = [];
    private nint handles;
    private nuint used;

    /// <summary>The machine: its checks and its counts of instructions.</summary>
    public PtxMachine Machine { get; } = new();

    /// <summary>How often memory was copied back and here, and how many graphs were made ready.</summary>
    public int Readings { get; private set; }

    public int Writings { get; private set; }

    public int GraphsMade { get; private set; }

    /// <summary>Graphs, ready or not, that were not given up.</summary>
    public int LiveGraphs
    {
        get
        {
            lock (gate)
                return graphs.Count;
        }
    }

    /// <summary>The names of the modules that were loaded.</summary>
    public ConcurrentQueue<string> Loaded { get; } = [];

    /// <summary>Told of every module before it is loaded, by the thread that loads it; may throw.</summary>
    public Action<string>? Loading { get; set; }

    public bool IsDisposed { get; private set; }

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

    public bool ChecksAccesses { get; init; } = true;

    /// <summary>The size of the device's memory.</summary>
    public long MemoryBytes { get; set; } = 8L << 30;

    public nint Allocate(nuint bytes)
    {
        lock (gate)
        {
            if ((long)used + (long)bytes > MemoryBytes)
                throw new CudaMemoryException(DeviceName, MemoryBytes - (long)used, MemoryBytes, (long)bytes);
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
            if (IsDisposed)
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
        Writings++;
        Buffer.MemoryCopy(from, (void*)to, bytes, bytes);
    }

    public void CopyOut(void* to, nint from, nuint bytes)
    {
        Machine.Check(from, (long)bytes, "copied from");
        Readings++;
        Buffer.MemoryCopy((void*)from, to, bytes, bytes);
    }

    public nint LoadModule(string name, ReadOnlySpan<byte> ptx)
    {
        Loading?.Invoke(name);
        Loaded.Enqueue(name);
        var module = Decoded.GetOrAdd(Encoding.UTF8.GetString(ptx), PtxModule.Parse);
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

    public nint CreateGraph()
    {
        lock (gate)
        {
            graphs.Add(++handles, []);
            return handles;
        }
    }

    public nint AddKernel(nint graph, nint after, nint kernel, Grid3 grid, Grid3 block, int sharedMemory, ulong* arguments, int count) =>
        Add(graph, after, new EmulatedNode(kernel, grid, block, sharedMemory, new ReadOnlySpan<ulong>(arguments, count).ToArray()));

    public nint AddFill(nint graph, nint after, nint address, byte value, nuint bytes) =>
        Add(graph, after, new EmulatedNode(0, default, default, value, [(ulong)address, bytes]));

    public nint Instantiate(nint graph)
    {
        lock (gate)
        {
            GraphsMade++;
            graphs.Add(++handles, [.. graphs[graph]]);
            return handles;
        }
    }

    public void SetKernel(nint executable, nint node, nint kernel, Grid3 grid, Grid3 block, int sharedMemory, ulong* arguments, int count)
    {
        lock (gate)
        {
            var nodes = graphs[executable];
            var was = nodes[(int)node - 1];
            if ((was.Kernel, was.Grid, was.Block, was.SharedMemory, was.Arguments.Length) != (kernel, grid, block, sharedMemory, count))
                throw new CudaException($"can't change a kernel of a graph: node {node} is of another kernel or shape");
            nodes[(int)node - 1] = was with { Arguments = new ReadOnlySpan<ulong>(arguments, count).ToArray() };
        }
    }

    public void LaunchGraph(nint executable)
    {
        EmulatedNode[] nodes;
        lock (gate) nodes = [.. graphs[executable]];
        foreach (var node in nodes)
        {
            if (node.Kernel == 0) Fill((nint)node.Arguments[0], (byte)node.SharedMemory, (nuint)node.Arguments[1]);
            else
            {
                fixed (ulong* arguments = node.Arguments) Launch(node.Kernel, node.Grid, node.Block, node.SharedMemory, arguments, node.Arguments.Length);
            }
        }
    }

    public void DestroyExecutable(nint executable) => DestroyGraph(executable);

    public void DestroyGraph(nint graph)
    {
        lock (gate)
        {
            if (!graphs.Remove(graph))
                throw new CudaException($"there is no graph {graph}");
        }
    }

    public void Synchronize()
    {
    }

    public void Dispose()
    {
        lock (gate)
        {
            IsDisposed = true;
            Machine.Dispose();
        }
    }

    /// <summary>A node's handle is its place, from 1: graphs here are chains.</summary>
    private nint Add(nint graph, nint after, EmulatedNode node)
    {
        lock (gate)
        {
            var nodes = graphs[graph];
            if (after != nodes.Count)
                throw new CudaException($"a node after {after} was added to a chain of {nodes.Count}");
            nodes.Add(node);
            return nodes.Count;
        }
    }

    private (PtxKernel Kernel, int SharedBytes) At(nint kernel)
    {
        lock (gate)
            return kernels[(int)kernel - 1];
    }

    /// <summary>A kernel, or, where that is 0, a fill of an address with bytes of <see cref="SharedMemory"/>'s value.</summary>
    private sealed record EmulatedNode(nint Kernel, Grid3 Grid, Grid3 Block, int SharedMemory, ulong[] Arguments);
}
