using LoRA2.Native.Cuda.Tests.Emulation.Execution;
using LoRA2.Native.Tensors.Cpu.Rows;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary><c>bra</c>: the target is an index of the kernel's code, set when it is laid out.</summary>
internal sealed class Branch : Operation
{
    public int Target { get; set; }

    /// <summary>Whether the lanes that come here promise to go the same way.</summary>
    public bool IsUniform { get; init; }

    public override OperationFlow Flow => OperationFlow.Branch;

    public override void Execute(Warp warp, uint mask) => throw new InvalidOperationException("A branch is the scheduler's.");
}

/// <summary><c>brx.idx</c>: every lane goes to the target its index names.</summary>
internal sealed class IndexedBranch(Slot index, int count) : Operation
{
    public int[] Targets { get; } = new int[count];

    public override OperationFlow Flow => OperationFlow.Branch;

    public unsafe int Target(Warp warp, int lane)
    {
        var value = ((uint*)(warp.Registers + index.Offset))[lane];
        if (value >= Targets.Length)
            throw warp.Fault(this, lane, $"branches to target {value} of {Targets.Length}");
        return Targets[value];
    }

    public override void Execute(Warp warp, uint mask) => throw new InvalidOperationException("A branch is the scheduler's.");
}

/// <summary><c>ret</c> and <c>exit</c>.</summary>
internal sealed class Exit : Operation
{
    public override OperationFlow Flow => OperationFlow.Exit;

    public override void Execute(Warp warp, uint mask) => throw new InvalidOperationException("An end is the scheduler's.");
}

/// <summary>Instructions that order memory, which here is always ordered.</summary>
internal sealed class MemoryFence : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
    }
}

/// <summary><c>trap</c>.</summary>
internal sealed class Trap : Operation
{
    public override void Execute(Warp warp, uint mask) =>
        throw warp.Fault(this, System.Numerics.BitOperations.TrailingZeroCount(mask), "stops the kernel");
}

/// <summary><c>bar.warp.sync</c>: the lanes of a mask wait for one another.</summary>
internal sealed class WarpBarrier(Slot members) : Operation
{
    public override OperationFlow Flow => OperationFlow.Gather;

    public override unsafe uint Members(Warp warp, uint mask) =>
        ((uint*)(warp.Registers + members.Offset))[System.Numerics.BitOperations.TrailingZeroCount(mask)];

    public override void Execute(Warp warp, uint mask)
    {
    }
}

/// <summary>What a barrier gives back to all threads of the block.</summary>
internal enum BarrierReduction
{
    None,
    Count,
    All,
    Any,
}

/// <summary><c>bar.sync</c> and <c>bar.red</c> of the whole block.</summary>
internal sealed class BlockBarrier(Slot number, Slot? count, BarrierReduction reduction, PredicateSlot source, Slot destination, int destinationPredicate) : Operation
{
    public override OperationFlow Flow => OperationFlow.Barrier;

    public BarrierReduction Reduction => reduction;

    public unsafe uint Number(Warp warp, int lane) => ((uint*)(warp.Registers + number.Offset))[lane];

    /// <summary>The number of threads it waits for, where it names one.</summary>
    public unsafe uint? Count(Warp warp, int lane) => count is { } slot ? ((uint*)(warp.Registers + slot.Offset))[lane] : null;

    /// <summary>The lanes whose predicate holds.</summary>
    public uint Votes(Warp warp) => source.Read(warp) & warp.Live;

    /// <summary>Writes the block's vote into the lanes of a warp.</summary>
    public unsafe void Complete(Warp warp, int votes, int threads)
    {
        if (reduction == BarrierReduction.Count)
        {
            new Span<uint>(warp.Registers + destination.Offset, 32).Fill((uint)votes);
        }
        else if (reduction != BarrierReduction.None)
        {
            var holds = reduction == BarrierReduction.All ? votes == threads : votes > 0;
            warp.Predicates[destinationPredicate] = holds ? uint.MaxValue : 0;
        }
    }

    public override void Execute(Warp warp, uint mask) => throw new InvalidOperationException("A barrier is the scheduler's.");
}
