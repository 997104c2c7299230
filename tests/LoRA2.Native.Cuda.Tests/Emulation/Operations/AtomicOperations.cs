using System.Numerics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary><c>atom</c> and <c>red</c> with one operand: the lanes follow one another.</summary>
internal sealed unsafe class Atomic<T, TFunction>(MemoryTarget target, Slot? d, Slot value) : MemoryAccess(target, sizeof(T))
    where T : unmanaged where TFunction : IBinary<T>
{
    public override void Execute(Warp warp, uint mask)
    {
        var pointers = stackalloc byte*[32];
        Locate(warp, mask, MemoryUse.Atomic, pointers);
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var at = (T*)pointers[lane];
            var old = *at;
            *at = TFunction.Apply(old, ((T*)(warp.Registers + value.Offset))[lane]);
            if (d is { } slot)
                ((T*)(warp.Registers + slot.Offset))[lane] = old;
        }
    }
}

/// <summary><c>atom.cas</c>.</summary>
internal sealed unsafe class CompareAndSwap<T>(MemoryTarget target, Slot? d, Slot expected, Slot value) : MemoryAccess(target, sizeof(T))
    where T : unmanaged, IEquatable<T>
{
    public override void Execute(Warp warp, uint mask)
    {
        var pointers = stackalloc byte*[32];
        Locate(warp, mask, MemoryUse.Atomic, pointers);
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var at = (T*)pointers[lane];
            var old = *at;
            if (old.Equals(((T*)(warp.Registers + expected.Offset))[lane]))
                *at = ((T*)(warp.Registers + value.Offset))[lane];
            if (d is { } slot)
                ((T*)(warp.Registers + slot.Offset))[lane] = old;
        }
    }
}
