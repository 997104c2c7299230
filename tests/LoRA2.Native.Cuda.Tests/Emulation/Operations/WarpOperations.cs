using System.Numerics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary>Which lane a shuffle reads.</summary>
internal enum ShuffleMode
{
    Up,
    Down,
    Butterfly,
    Index,
}

/// <summary>An operation for which the lanes of a member mask wait for one another.</summary>
internal abstract unsafe class GatherOperation(Slot members) : Operation
{
    public override OperationFlow Flow => OperationFlow.Gather;

    public override uint Members(Warp warp, uint mask) => ((uint*)(warp.Registers + members.Offset))[BitOperations.TrailingZeroCount(mask)];
}

/// <summary><c>shfl.sync</c>: a lane that does not take part is read as all ones, a NaN.</summary>
internal sealed unsafe class Shuffle(ShuffleMode mode, Slot d, int? predicate, Slot a, Slot b, Slot c, Slot members) : GatherOperation(members)
{
    public override void Execute(Warp warp, uint mask)
    {
        var to = (uint*)(warp.Registers + d.Offset);
        var from = (uint*)(warp.Registers + a.Offset);
        var bs = (uint*)(warp.Registers + b.Offset);
        var cs = (uint*)(warp.Registers + c.Offset);
        var values = stackalloc uint[32];
        uint inRange = 0;
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            var distance = (int)(bs[lane] & 31);
            var bound = (int)(cs[lane] & 31);
            var segment = (int)(cs[lane] >> 8 & 31);
            var last = (lane & segment) | (bound & ~segment);
            var (source, valid) = mode switch
            {
                ShuffleMode.Up => (lane - distance, lane - distance >= last),
                ShuffleMode.Down => (lane + distance, lane + distance <= last),
                ShuffleMode.Butterfly => (lane ^ distance, (lane ^ distance) <= last),
                _ => ((lane & segment) | (distance & ~segment), ((lane & segment) | (distance & ~segment)) <= last),
            };
            if (valid)
                inRange |= 1u << lane;
            else
                source = lane;
            values[lane] = (mask >> source & 1) != 0 ? from[source] : uint.MaxValue;
        }
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            to[lane] = values[lane];
        }
        if (predicate is { } p)
            warp.Predicates[p] = (warp.Predicates[p] & ~mask) | inRange;
    }
}

/// <summary>What a vote says.</summary>
internal enum VoteMode
{
    All,
    Any,
    Uniform,
    Ballot,
}

/// <summary><c>vote.sync</c>.</summary>
internal sealed unsafe class Vote(VoteMode mode, Slot d, int predicate, PredicateSlot source, Slot members) : GatherOperation(members)
{
    public override void Execute(Warp warp, uint mask)
    {
        var votes = source.Read(warp) & mask;
        if (mode == VoteMode.Ballot)
        {
            var to = (uint*)(warp.Registers + d.Offset);
            for (var rest = mask; rest != 0; rest &= rest - 1)
                to[BitOperations.TrailingZeroCount(rest)] = votes;
            return;
        }
        var holds = mode switch { VoteMode.All => votes == mask, VoteMode.Any => votes != 0, _ => votes == mask || votes == 0 };
        warp.Predicates[predicate] = holds ? warp.Predicates[predicate] | mask : warp.Predicates[predicate] & ~mask;
    }
}

/// <summary><c>activemask</c>.</summary>
internal sealed unsafe class ActiveMask(Slot d) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        var to = (uint*)(warp.Registers + d.Offset);
        for (var rest = mask; rest != 0; rest &= rest - 1)
            to[BitOperations.TrailingZeroCount(rest)] = mask;
    }
}

/// <summary><c>redux.sync</c>.</summary>
internal sealed unsafe class Reduce<T, TFunction>(Slot d, Slot a, Slot members) : GatherOperation(members)
    where T : unmanaged where TFunction : IBinary<T>
{
    public override void Execute(Warp warp, uint mask)
    {
        var to = (T*)(warp.Registers + d.Offset);
        var from = (T*)(warp.Registers + a.Offset);
        var first = BitOperations.TrailingZeroCount(mask);
        var sum = from[first];
        for (var rest = mask & (mask - 1); rest != 0; rest &= rest - 1)
            sum = TFunction.Apply(sum, from[BitOperations.TrailingZeroCount(rest)]);
        for (var rest = mask; rest != 0; rest &= rest - 1)
            to[BitOperations.TrailingZeroCount(rest)] = sum;
    }
}
