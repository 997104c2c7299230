namespace LoRA2.Native.Communication;

/// <summary>
/// The order in which parts are summed, a binary tree over their numbers alone: of n parts the first 2ᵏ, with the largest 2ᵏ below n, then the rest, then both, and each of
/// the two likewise. Whoever has parts of it sums what is whole among them; the result's bits don't depend on who had which.
/// </summary>
public static class SumTree
{
    /// <summary>How many of n ≥ 2 parts the tree's first branch has.</summary>
    public static int Half(int parts)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts, 2);
        return 1 << System.Numerics.BitOperations.Log2((uint)(parts - 1));
    }

    /// <summary>The parts of one process, from the first to before the end: stretches of like length, that of process 0 first.</summary>
    public static (int First, int End) Share(int parts, int rank, int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(parts);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)rank, (uint)size, nameof(rank));
        return ((int)((long)parts * rank / size), (int)((long)parts * (rank + 1) / size));
    }

    /// <summary>How many of the branches before it a part completes: so often are the last two sums made one when it is added.</summary>
    /// <param name="first">The first part that is here.</param>
    /// <param name="part">The part, after which those up to it are all here.</param>
    /// <param name="size">Parts that the newcomer stands for, a power of two that divides its number.</param>
    internal static int Completed(int first, int part, int size = 1)
    {
        int merges = 0;
        while (part - size >= first && part % (2 * size) != 0)
        {
            part -= size;
            size *= 2;
            merges++;
        }

        return merges;
    }

    /// <summary>The whole branches that a stretch of parts consists of, as few as there can be: the first part and the number of parts of each.</summary>
    internal static void Branches(int first, int end, List<(int First, int Size)> branches)
    {
        branches.Clear();
        for (int part = first; part < end; part++)
        {
            int size = 1;
            for (int merges = Completed(first, part); merges > 0; merges--)
            {
                size *= 2;
                branches.RemoveAt(branches.Count - 1);
            }

            branches.Add((part + 1 - size, size));
        }
    }
}
