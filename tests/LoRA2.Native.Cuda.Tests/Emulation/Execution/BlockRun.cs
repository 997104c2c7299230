using System.Numerics;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Tests.Emulation.Operations;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Execution;

/// <summary>Runs the blocks of one launch, one after another, on the same warps.</summary>
internal sealed unsafe class BlockRun : IDisposable
{
    private readonly Grid3 grid;
    private readonly Grid3 threads;
    private readonly Warp[] warps;
    private readonly long branchLimit;
    private long branches;
    private int barriers;

    public BlockRun(KernelCode kernel, GlobalMemory memory, Grid3 grid, Grid3 threads, int sharedBytes, byte[] parameters, Func<PtxVariable, ulong> symbol, long branchLimit, bool checkRaces)
    {
        (Kernel, Memory, this.grid, this.threads, Parameters, this.branchLimit) = (kernel, memory, grid, threads, parameters, branchLimit);
        Counts = new long[kernel.Code.Length];
        var variables = kernel.SharedVariables.Append((kernel.DynamicOffset, sharedBytes));
        Shared = new SharedMemory(kernel.DynamicOffset + sharedBytes, kernel.SharedUnit, variables);
        DynamicSharedBytes = sharedBytes;
        Races = checkRaces ? new GlobalRaces(memory, kernel.GlobalUnit) : null;
        warps = new Warp[(threads.X * threads.Y * threads.Z + 31) / 32];
        for (var w = 0; w < warps.Length; w++)
        {
            warps[w] = new Warp(this, w);
            foreach (var (slot, bits) in kernel.Constants)
                Fill(warps[w], slot, _ => bits);
            foreach (var (slot, variable) in kernel.Symbols)
            {
                var address = symbol(variable);
                Fill(warps[w], slot, _ => address);
            }
        }
    }

    public KernelCode Kernel { get; }

    public GlobalMemory Memory { get; }

    public SharedMemory Shared { get; }

    /// <summary>The check for races for global memory; null when it is off.</summary>
    public GlobalRaces? Races { get; }

    public byte[] Parameters { get; }

    /// <summary>How often each operation ran, a warp at a time.</summary>
    public long[] Counts { get; }

    public int DynamicSharedBytes { get; }

    /// <summary>The block's number in the order they run in.</summary>
    public ulong Number { get; private set; }

    /// <summary>The block's index in the grid.</summary>
    public (int X, int Y, int Z) Position { get; private set; }

    public void Dispose()
    {
        foreach (var warp in warps)
            warp.Dispose();
        Shared.Dispose();
    }

    /// <summary>A thread's index in its block.</summary>
    public (int X, int Y, int Z) Thread(int index) => (index % threads.X, index / threads.X % threads.Y, index / (threads.X * threads.Y));

    /// <summary>Stops a kernel that goes round for ever.</summary>
    public void CountBranch()
    {
        if (++branches > branchLimit)
            throw new PtxException($"Kernel '{Kernel.Name}', block {Position}: more than {branchLimit} branches; it does not end.");
    }

    public void RunAll()
    {
        for (var z = 0; z < grid.Z; z++)
        {
            for (var y = 0; y < grid.Y; y++)
            {
                for (var x = 0; x < grid.X; x++)
                {
                    Run((x, y, z));
                    Number++;
                }
            }
        }
    }

    private void Run((int X, int Y, int Z) position)
    {
        Position = position;
        barriers = 0;
        Races?.Enter((long)Number, barriers);
        Shared.Reset();
        var count = threads.X * threads.Y * threads.Z;
        foreach (var warp in warps)
        {
            var lanes = Math.Min(32, count - warp.Index * 32);
            warp.Start(lanes == 32 ? uint.MaxValue : (1u << lanes) - 1);
            foreach (var (slot, special) in Kernel.Specials)
                Fill(warp, slot, lane => Special(special, warp.Index * 32 + lane));
        }
        while (true)
        {
            int live = 0, atBarrier = 0;
            foreach (var warp in warps)
            {
                if (warp.Live != 0 && warp.Run() == WarpState.AtBarrier)
                    atBarrier++;
                live += BitOperations.PopCount(warp.Live);
            }
            if (atBarrier == 0)
                return;
            Meet(live, count);
        }
    }

    // All warps have stopped, some at a barrier: all threads must be there, at the same barrier.
    private void Meet(int live, int count)
    {
        var first = Array.Find(warps, w => w.Live != 0)!;
        var barrier = first.Barrier;
        if (live != count)
            throw first.Fault(barrier, BitOperations.TrailingZeroCount(first.Live), $"waits at a barrier that {count - live} of the block's {count} threads have ended without reaching");
        var votes = 0;
        foreach (var warp in warps)
        {
            var other = warp.Barrier;
            if (other.Number(warp, 0) != barrier.Number(first, 0) || other.Reduction != barrier.Reduction)
                throw warp.Fault(other, 0, $"waits at another barrier than warp {first.Index} (line {barrier.Line}): deadlock");
            if (other.Count(warp, 0) is { } named && named != (uint)((count + 31) / 32 * 32) && named != (uint)count)
                throw warp.Fault(other, 0, $"waits for {named} threads; only barriers of the whole block ({count}) are supported");
            votes += BitOperations.PopCount(other.Votes(warp));
        }
        foreach (var warp in warps)
        {
            warp.Barrier.Complete(warp, votes, count);
            warp.Release();
        }
        Shared.Synchronise();
        Races?.Enter((long)Number, ++barriers);
    }

    private ulong Special(PtxSpecial special, int thread)
    {
        var lane = thread & 31;
        var (x, y, z) = Thread(thread);
        return special switch
        {
            PtxSpecial.TidX => (uint)x,
            PtxSpecial.TidY => (uint)y,
            PtxSpecial.TidZ => (uint)z,
            PtxSpecial.NtidX => (uint)threads.X,
            PtxSpecial.NtidY => (uint)threads.Y,
            PtxSpecial.NtidZ => (uint)threads.Z,
            PtxSpecial.CtaidX => (uint)Position.X,
            PtxSpecial.CtaidY => (uint)Position.Y,
            PtxSpecial.CtaidZ => (uint)Position.Z,
            PtxSpecial.NctaidX => (uint)grid.X,
            PtxSpecial.NctaidY => (uint)grid.Y,
            PtxSpecial.NctaidZ => (uint)grid.Z,
            PtxSpecial.LaneId => (uint)lane,
            PtxSpecial.WarpId => (uint)(thread / 32),
            PtxSpecial.NwarpId => (uint)warps.Length,
            PtxSpecial.LaneMaskEq => 1u << lane,
            PtxSpecial.LaneMaskLt => (1u << lane) - 1,
            PtxSpecial.LaneMaskLe => (uint)((2UL << lane) - 1),
            PtxSpecial.LaneMaskGt => ~(uint)((2UL << lane) - 1),
            PtxSpecial.LaneMaskGe => ~((1u << lane) - 1),
            PtxSpecial.DynamicSharedSize => (uint)DynamicSharedBytes,
            _ => (uint)(DynamicSharedBytes + Kernel.StaticSharedBytes),
        };
    }

    private static void Fill(Warp warp, Slot slot, Func<int, ulong> value)
    {
        for (var lane = 0; lane < 32; lane++)
        {
            var to = warp.Registers + slot.Offset + lane * slot.Width;
            var bits = value(lane);
            if (slot.Width == 8)
                *(ulong*)to = bits;
            else if (slot.Width == 4)
                *(uint*)to = (uint)bits;
            else
                *(ushort*)to = (ushort)bits;
        }
    }
}
