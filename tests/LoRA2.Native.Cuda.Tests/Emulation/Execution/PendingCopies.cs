using System.Runtime.InteropServices;

namespace LoRA2.Native.Cuda.Tests.Emulation.Execution;

/// <summary>The asynchronous copies of a warp's lanes that have not arrived; groups are counted lane by lane.</summary>
internal sealed class PendingCopies
{
    private readonly List<Copy> copies = [];
    private readonly int[] committed = new int[32];

    private record struct Copy(int Lane, int Group, int Offset, int Bytes, UInt128 Data);

    public void Clear()
    {
        copies.Clear();
        Array.Clear(committed);
    }

    public void Add(int lane, int offset, int bytes, UInt128 data) => copies.Add(new Copy(lane, committed[lane], offset, bytes, data));

    /// <summary>The copies so far become a group.</summary>
    public void Commit(uint lanes)
    {
        for (; lanes != 0; lanes &= lanes - 1)
            committed[System.Numerics.BitOperations.TrailingZeroCount(lanes)]++;
    }

    /// <summary>All groups but the latest <paramref name="groups"/> arrive.</summary>
    public void Wait(Warp warp, uint lanes, int groups) => Complete(warp, lanes, groups);

    /// <summary>Everything arrives, in a group or not.</summary>
    public void CompleteAll(Warp warp, uint lanes) => Complete(warp, lanes, -1);

    private void Complete(Warp warp, uint lanes, int groups)
    {
        var list = CollectionsMarshal.AsSpan(copies);
        var kept = 0;
        for (var i = 0; i < list.Length; i++)
        {
            var copy = list[i];
            if ((lanes >> copy.Lane & 1) != 0 && copy.Group < committed[copy.Lane] - groups)
                warp.Block.Shared.EndCopy(warp, copy.Offset, copy.Bytes, copy.Data);
            else
                list[kept++] = copy;
        }
        copies.RemoveRange(kept, copies.Count - kept);
    }
}
