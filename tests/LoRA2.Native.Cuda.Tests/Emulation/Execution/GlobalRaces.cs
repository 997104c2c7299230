using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Cuda.Tests.Emulation.Operations;

namespace LoRA2.Native.Cuda.Tests.Emulation.Execution;

/// <summary>
/// Who wrote and who read each unit of global memory in one launch. Two blocks at one unit, one of them writing, is a race, and
/// so are two warps of a block without a barrier between. Atomic operations are left out, and lanes of one warp count as ordered.
/// </summary>
internal sealed class GlobalRaces(GlobalMemory memory, int unit)
{
    // A mark: the block's number from 1 above, then 24 bits of barriers passed, then 8 of the warp, with a bit for "several warps".
    private const int BlockShift = 32;
    private const ulong Several = 0x80;
    private const ulong SeveralBlocks = 0xFFFFFFFF_00000000;

    private readonly int unitShift = BitOperations.Log2((uint)unit);
    private readonly Dictionary<ulong, Marks[]> shadows = [];
    private Marks[] shadow = [];
    private ulong first;
    private ulong length;
    private ulong now;

    private struct Marks
    {
        public ulong Writer;
        public ulong Reader;
    }

    /// <summary>Says which block runs, and how many barriers it has passed.</summary>
    public void Enter(long block, int barriers) => now = (ulong)(block + 1) << BlockShift | (uint)(barriers & 0xFFFFFF) << 8;

    /// <summary>Checks and marks what the lanes touch; the addresses were checked before.</summary>
    public unsafe void Mark(Warp warp, Operation operation, uint mask, MemoryUse use, ulong* addresses, int bytes)
    {
        if (use == MemoryUse.Atomic)
            return;
        var mark = now | (uint)warp.Index;
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var offset = addresses[lane] - first;
            if (offset >= length)
            {
                Enter(addresses[lane]);
                offset = addresses[lane] - first;
            }
            var last = (int)((offset + (ulong)bytes - 1) >> unitShift);
            for (var u = (int)(offset >> unitShift); u <= last; u++)
            {
                ref var marks = ref shadow[u];
                if (Conflicts(marks.Writer, mark))
                    throw Conflict(warp, operation, lane, addresses[lane], marks.Writer, use == MemoryUse.Read ? "reads" : "writes", "written");
                if (use == MemoryUse.Read)
                {
                    marks.Reader = Join(marks.Reader, mark);
                    continue;
                }
                if (Conflicts(marks.Reader, mark))
                    throw Conflict(warp, operation, lane, addresses[lane], marks.Reader, "writes", "read");
                marks.Writer = mark;
            }
        }
    }

    // Another block, or another warp of this block since the last barrier.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Conflicts(ulong earlier, ulong mark) =>
        earlier != 0 && ((earlier ^ mark) >> BlockShift != 0 || ((earlier ^ mark) >> 8 == 0 && (byte)earlier != (byte)mark));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Join(ulong earlier, ulong mark)
    {
        if (earlier != 0 && (earlier ^ mark) >> BlockShift != 0)
            return SeveralBlocks;
        return (earlier ^ mark) >> 8 == 0 && (byte)earlier != (byte)mark ? earlier | Several : mark;
    }

    private void Enter(ulong address)
    {
        (first, length) = memory.Find(address);
        if (!shadows.TryGetValue(first, out shadow!))
            shadows[first] = shadow = new Marks[(length >> unitShift) + 1];
    }

    private static PtxException Conflict(Warp warp, Operation operation, int lane, ulong address, ulong mark, string does, string did)
    {
        var other = mark >= SeveralBlocks ? "several blocks have"
            : mark >> BlockShift != warp.Block.Number + 1 ? $"block number {(mark >> BlockShift) - 1} has"
            : "another warp of the block has";
        return warp.Fault(operation, lane, $"{does} 0x{address:x}, which {other} {did} in this launch without a barrier between: a race");
    }
}
