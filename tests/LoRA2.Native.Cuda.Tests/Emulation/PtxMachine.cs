using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.InteropServices;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation;

/// <summary>
/// Runs kernels on the processor, one thread after another in effect, and checks what a GPU does not: every access lies in a
/// live allocation and is aligned; all threads reach a barrier; no two warps race for memory. Memory that was never
/// written is all ones, which is NaN in every float.
/// </summary>
internal sealed unsafe class PtxMachine : IDisposable
{
    private const int LargestBlock = 1024;

    private readonly GlobalMemory memory = new();
    private readonly ConcurrentDictionary<PtxVariable, ulong> variables = [];
    private readonly Dictionary<string, long> counts = [];
    private readonly Lock gate = new();

    /// <summary>Branches a launch may take, by warps, before it is taken for endless.</summary>
    public long BranchLimit { get; set; } = 1L << 30;

    /// <summary>Whether blocks that touch the same global memory in one launch are an error, one of them writing.</summary>
    public bool CheckRaces { get; set; } = true;

    /// <summary>Bytes of shared memory a block may have.</summary>
    public int SharedMemoryLimit { get; set; } = 163 * 1024;

    /// <summary>The number of live allocations.</summary>
    public int AllocationCount => memory.Count;

    /// <summary>Instructions run since the last <see cref="ResetCounts"/>, each once a warp, by opcode.</summary>
    public IReadOnlyDictionary<string, long> Counts
    {
        get
        {
            lock (gate)
                return new Dictionary<string, long>(counts);
        }
    }

    /// <summary>Instructions times the lanes of a warp, whether they took part or not.</summary>
    public long LaneInstructions => Counts.Values.Sum() * 32;

    public void ResetCounts()
    {
        lock (gate)
            counts.Clear();
    }

    /// <summary>Memory of the process, filled with ones.</summary>
    public nint Allocate(long bytes) => memory.Allocate(bytes);

    public void Free(nint address) => memory.Free(address);

    /// <summary>Checks that bytes which the host touches lie in one live allocation.</summary>
    public void Check(nint address, long bytes, string what)
    {
        if (bytes > 0 && !memory.TryFind((ulong)address, bytes, out _))
            throw new PtxException($"{bytes} bytes at 0x{address:x} are {what} by the host, outside every live allocation ({memory.Describe((ulong)address)}).");
    }

    /// <summary>Runs a kernel to its end. Each argument holds a parameter's bits in its low bytes.</summary>
    /// <exception cref="PtxException">The kernel did what it must not.</exception>
    public void Launch(PtxKernel kernel, Grid3 grid, Grid3 threads, int sharedBytes, ReadOnlySpan<ulong> arguments)
    {
        Check(kernel, grid, threads, sharedBytes, arguments.Length);
        var code = kernel.Code;
        var parameters = new byte[code.ParameterBytes + 8];
        for (var i = 0; i < arguments.Length; i++)
        {
            var parameter = code.Parameters[i];
            if (parameter.Size > 8)
                throw new PtxException($"Kernel '{kernel.Name}': parameter '{parameter.Name}' has {parameter.Size} bytes; only those of up to 8 are supported.");
            MemoryMarshal.AsBytes(arguments.Slice(i, 1))[..parameter.Size].CopyTo(parameters.AsSpan(parameter.Offset));
        }
        using var run = new BlockRun(code, memory, grid, threads, sharedBytes, parameters, AddressOf, BranchLimit, CheckRaces);
        run.RunAll();
        lock (gate)
        {
            for (var i = 0; i < run.Counts.Length; i++)
            {
                if (run.Counts[i] > 0 && code.Code[i].Opcode.Length > 0)
                    CollectionsMarshal.GetValueRefOrAddDefault(counts, code.Code[i].Opcode, out _) += run.Counts[i];
            }
        }
    }

    public void Dispose() => memory.Dispose();

    private void Check(PtxKernel kernel, Grid3 grid, Grid3 threads, int sharedBytes, int arguments)
    {
        if (arguments != kernel.ParameterCount)
            throw new PtxException($"Kernel '{kernel.Name}' has {kernel.ParameterCount} parameters, the launch {arguments} arguments.");
        if (grid.X < 1 || grid.Y < 1 || grid.Z < 1 || grid.Y > 65535 || grid.Z > 65535)
            throw new PtxException($"Kernel '{kernel.Name}': a grid of {grid} is not possible.");
        if (threads.X < 1 || threads.Y < 1 || threads.Z is < 1 or > 64 || (long)threads.X * threads.Y * threads.Z > LargestBlock)
            throw new PtxException($"Kernel '{kernel.Name}': a block of {threads} threads is not possible.");
        if (kernel.StaticSharedBytes > 48 * 1024 || sharedBytes < 0 || kernel.StaticSharedBytes + sharedBytes > SharedMemoryLimit)
            throw new PtxException($"Kernel '{kernel.Name}' has {kernel.StaticSharedBytes} + {sharedBytes} bytes of shared memory; 48 KiB static and {SharedMemoryLimit} in all are possible.");
    }

    private ulong AddressOf(PtxVariable variable) => variables.GetOrAdd(variable, v =>
    {
        var address = memory.Allocate(v.Size);
        v.Data!.CopyTo(new Span<byte>((void*)address, v.Size));
        return (ulong)address;
    });
}
