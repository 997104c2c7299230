using System.Numerics;
using System.Runtime.InteropServices;
using LoRA2.Native.Cuda.Tests.Emulation.Operations;

namespace LoRA2.Native.Cuda.Tests.Emulation.Execution;

/// <summary>Where a warp stopped.</summary>
internal enum WarpState
{
    Finished,
    AtBarrier,
}

/// <summary>
/// 32 lanes: their registers, and the places they are at. Lanes at one place form a fragment; the fragment at the smallest
/// place runs, so that lanes that parted meet again where their ways join (the code is laid out so that joins come last).
/// A fragment at an operation that needs more lanes waits until the others arrive.
/// </summary>
internal sealed unsafe class Warp : IDisposable
{
    private readonly Operation[] code;
    private readonly int[] stretches;
    private readonly long[] counts;
    private readonly int[] places = new int[33];
    private readonly uint[] masks = new uint[33];
    private readonly bool[] waiting = new bool[33];
    private readonly byte* memory;
    private int fragments;

    public Warp(BlockRun block, int index)
    {
        var kernel = block.Kernel;
        Block = block;
        Index = index;
        code = kernel.Code;
        stretches = kernel.Stretches;
        counts = block.Counts;
        var local = 32L * kernel.LocalBytes;
        memory = (byte*)NativeMemory.AlignedAlloc((nuint)(kernel.RegisterBytes + local + kernel.PredicateCount * 4L + 64), 64);
        Registers = memory;
        Local = memory + kernel.RegisterBytes;
        Predicates = (uint*)(Local + local);
        Ranges = new AddressRange[kernel.RangeCount];
    }

    public BlockRun Block { get; }

    /// <summary>Its number in the block.</summary>
    public int Index { get; }

    public byte* Registers { get; }

    /// <summary>The lanes' frames of local memory, one after another.</summary>
    public byte* Local { get; }

    /// <summary>The predicates, a bit a lane.</summary>
    public uint* Predicates { get; }

    /// <summary>The lanes that exist and have not ended.</summary>
    public uint Live { get; private set; }

    /// <summary>The allocation that each memory operation met last.</summary>
    public AddressRange[] Ranges { get; }

    public PendingCopies Copies { get; } = new();

    /// <summary>The place of the fragment that runs, for messages.</summary>
    public int Place { get; private set; }

    public void Dispose() => NativeMemory.AlignedFree(memory);

    /// <summary>Puts the lanes of <paramref name="live"/> at the kernel's start.</summary>
    public void Start(uint live)
    {
        var kernel = Block.Kernel;
        // Registers that may be read before they are written hold a pattern that shows.
        foreach (var slot in kernel.Unset)
            new Span<byte>(Registers + slot.Offset, 32 * slot.Width).Fill(0xFF);
        new Span<byte>(Local, 32 * kernel.LocalBytes).Fill(0xFF);
        new Span<uint>(Predicates, kernel.PredicateCount).Fill(0xAAAAAAAA);
        Predicates[Operation.PredicateFalse] = 0;
        Predicates[Operation.PredicateTrue] = uint.MaxValue;
        Live = live;
        fragments = 1;
        places[0] = 0;
        masks[0] = live;
        waiting[0] = false;
        Copies.Clear();
    }

    /// <summary>Runs until all lanes have ended or all stand at a barrier.</summary>
    public WarpState Run()
    {
        var progress = true;
        while (fragments > 0)
        {
            var f = Select();
            if (f < 0)
            {
                if (!progress)
                    throw Deadlock();
                progress = false;
                Array.Clear(waiting);
                continue;
            }
            var mask = masks[f];
            var pc = places[f];
            var stop = NextPlace(pc);
            while (true)
            {
                // Nothing has to be asked between operations that all lanes run one after the other.
                var end = Math.Min(stretches[pc], stop);
                if (pc < end)
                {
                    do
                    {
                        Place = pc;
                        counts[pc]++;
                        code[pc].Execute(this, mask);
                    }
                    while (++pc < end);
                    progress = true;
                    if (pc == stop)
                        break;
                }
                var operation = code[pc];
                var active = mask & operation.Guard.Read(this);
                counts[pc]++;
                if (operation.Flow == OperationFlow.Straight)
                {
                    Place = pc;
                    if (active != 0)
                        operation.Execute(this, active);
                    progress = true;
                    if (++pc == stop)
                        break;
                    continue;
                }
                Place = pc;
                if (active == 0)
                {
                    progress = true;
                    if (++pc == stop)
                        break;
                    continue;
                }
                if (operation.Flow == OperationFlow.Branch)
                {
                    progress = true;
                    Block.CountBranch();
                    if (operation is Branch branch)
                    {
                        if (active == mask)
                        {
                            pc = branch.Target;
                            if (fragments == 1)
                                continue;
                        }
                        else
                        {
                            if (branch.IsUniform)
                                throw Fault(branch, BitOperations.TrailingZeroCount(mask & ~active), $"does not go where lane {BitOperations.TrailingZeroCount(active)} goes, at a branch that is said to be uniform");
                            Add(branch.Target, active);
                            mask &= ~active;
                            pc++;
                        }
                        break;
                    }
                    var indexed = (IndexedBranch)operation;
                    for (var rest = active; rest != 0; rest &= rest - 1)
                    {
                        var lane = BitOperations.TrailingZeroCount(rest);
                        Add(indexed.Target(this, lane), 1u << lane);
                    }
                    mask &= ~active;
                    pc++;
                    break;
                }
                if (operation.Flow == OperationFlow.Exit)
                {
                    progress = true;
                    Copies.CompleteAll(this, active);
                    Live &= ~active;
                    mask &= ~active;
                    pc++;
                    break;
                }
                var members = operation.Flow == OperationFlow.Barrier ? Live : operation.Members(this, active) & Live;
                if ((active & ~members) != 0)
                    throw Fault(operation, BitOperations.TrailingZeroCount(active & ~members), $"is not in the member mask 0x{members:x}");
                if ((members & mask & ~active) != 0)
                    throw Fault(operation, BitOperations.TrailingZeroCount(members & mask & ~active), "does not take part, because of its predicate, in what other lanes wait for");
                if ((members & ~mask) != 0)
                {
                    counts[pc]--;
                    waiting[f] = true;
                    break;
                }
                progress = true;
                if (operation.Flow == OperationFlow.Barrier)
                {
                    places[f] = pc;
                    return WarpState.AtBarrier;
                }
                operation.Execute(this, active);
                if (++pc == stop)
                    break;
            }
            places[f] = pc;
            masks[f] = mask;
        }
        return WarpState.Finished;
    }

    /// <summary>The barrier at which the warp stands.</summary>
    public BlockBarrier Barrier => (BlockBarrier)code[places[0]];

    /// <summary>Steps over the barrier.</summary>
    public void Release() => places[0]++;

    /// <summary>An error that names the kernel, the line and the thread.</summary>
    public PtxException Fault(Operation operation, int lane, string what)
    {
        var (x, y, z) = Block.Thread(Index * 32 + lane);
        var (bx, by, bz) = Block.Position;
        return new PtxException(
            $"Kernel '{Block.Kernel.Name}', PTX line {operation.Line} '{operation.Text}': thread ({x}, {y}, {z}) of block ({bx}, {by}, {bz}) {what}.");
    }

    // Drops empty fragments, joins those at one place, and returns the runnable one at the smallest place, or -1.
    private int Select()
    {
        if (fragments == 1 && masks[0] != 0)
            return waiting[0] ? -1 : 0;
        var n = 0;
        for (var i = 0; i < fragments; i++)
        {
            if (masks[i] == 0)
                continue;
            var joined = false;
            for (var k = 0; k < n && !joined; k++)
            {
                if (places[k] != places[i])
                    continue;
                masks[k] |= masks[i];
                waiting[k] = false;
                joined = true;
            }
            if (joined)
                continue;
            (places[n], masks[n], waiting[n]) = (places[i], masks[i], waiting[i]);
            n++;
        }
        fragments = n;
        var best = -1;
        for (var i = 0; i < n; i++)
        {
            if (!waiting[i] && (best < 0 || places[i] < places[best]))
                best = i;
        }
        return best;
    }

    // The smallest place after pc where another fragment is.
    private int NextPlace(int pc)
    {
        var next = int.MaxValue;
        for (var i = 0; i < fragments; i++)
        {
            if (places[i] > pc && places[i] < next)
                next = places[i];
        }
        return next;
    }

    private void Add(int place, uint mask)
    {
        for (var i = 0; i < fragments; i++)
        {
            if (places[i] == place && masks[i] != 0 && i != fragments)
            {
                // The fragment that runs is written back by its own loop, so it is never joined here.
                if (masks[i] != 0 && (masks[i] & mask) == 0)
                {
                    masks[i] |= mask;
                    waiting[i] = false;
                    return;
                }
            }
        }
        places[fragments] = place;
        masks[fragments] = mask;
        waiting[fragments] = false;
        fragments++;
    }

    private PtxException Deadlock()
    {
        var parts = Enumerable.Range(0, fragments).Select(i => $"lanes 0x{masks[i]:x} wait at line {code[places[i]].Line} '{code[places[i]].Text}'");
        return new PtxException(
            $"Kernel '{Block.Kernel.Name}', warp {Index} of block {Block.Position}: deadlock, not all lanes reach one place: {string.Join("; ", parts)}.");
    }
}
