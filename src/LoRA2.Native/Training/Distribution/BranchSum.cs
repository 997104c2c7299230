using System.Numerics;
using LoRA2.Native.Communication;

namespace LoRA2.Native.Training.Distribution;

/// <summary>The sum of a bucket of elements over the branches of all processes, in the tree over the parts: each process sums a stretch of the elements and gives it to all.</summary>
internal sealed class BranchSum(Communicator communicator)
{
    private readonly int[] stretches = new int[communicator.Size];
    private readonly int[] sent = new int[communicator.Size];
    private readonly int[] received = new int[communicator.Size];
    private readonly List<int> places = [];
    private float[] send = [];
    private float[] receive = [];
    private float[] sums = [];
    private List<(int First, int Size)>[] branches = [];
    private int elements;

    /// <summary>Begins a bucket.</summary>
    /// <param name="count">Its elements.</param>
    /// <param name="branchesOf">The branches of each process.</param>
    public void Begin(int count, List<(int First, int Size)>[] branchesOf)
    {
        (elements, branches) = (count, branchesOf);
        for (int rank = 0; rank < stretches.Length; rank++)
        {
            (int first, int end) = SumTree.Share(count, rank, stretches.Length);
            stretches[rank] = end - first;
        }

        int own = stretches[communicator.Rank], total = 0;
        for (int rank = 0; rank < stretches.Length; rank++)
        {
            sent[rank] = stretches[rank] * branches[communicator.Rank].Count;
            received[rank] = own * branches[rank].Count;
            total += received[rank];
        }

        Grow(ref send, checked(count * branches[communicator.Rank].Count));
        Grow(ref receive, total);
        Grow(ref sums, count);
    }

    /// <summary>Puts some elements of a branch of this process where they go to; zeros for an empty span.</summary>
    public void Put(int branch, int at, int count, ReadOnlySpan<float> values)
    {
        int rank = 0, start = 0, block = 0;
        for (int done = 0; done < count;)
        {
            while (at + done >= start + stretches[rank])
            {
                block += sent[rank];
                start += stretches[rank++];
            }

            int within = at + done - start, some = Math.Min(count - done, stretches[rank] - within);
            Span<float> place = send.AsSpan(block + (branch * stretches[rank]) + within, some);
            if (values.IsEmpty) place.Clear();
            else values.Slice(done, some).CopyTo(place);
            done += some;
        }
    }

    /// <summary>Sends what was put, and sums.</summary>
    /// <returns>The sums of all elements, until the next bucket.</returns>
    public ReadOnlySpan<float> Exchange()
    {
        int rank = communicator.Rank, own = stretches[rank];
        communicator.AllToAll<float>(send.AsSpan(0, elements * branches[rank].Count), sent, receive.AsSpan(0, Total(received)), received);
        places.Clear();
        int block = 0;
        foreach (List<(int First, int Size)> those in branches)
        {
            foreach ((int first, int size) in those)
            {
                places.Add(block);
                block += own;
                for (int merges = SumTree.Completed(0, first, size); merges > 0; merges--) Merge(own);
            }
        }

        while (places.Count > 1) Merge(own);
        communicator.AllGather<float>(receive.AsSpan(places[0], own), sums.AsSpan(0, elements), stretches);
        return sums.AsSpan(0, elements);
    }

    /// <summary>Adds the last sum to the one before.</summary>
    private void Merge(int count)
    {
        Span<float> left = receive.AsSpan(places[^2], count), right = receive.AsSpan(places[^1], count);
        int i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count) (new Vector<float>(left[i..]) + new Vector<float>(right[i..])).CopyTo(left[i..]);
        for (; i < count; i++) left[i] += right[i];
        places.RemoveAt(places.Count - 1);
    }

    private static int Total(int[] counts)
    {
        int sum = 0;
        foreach (int count in counts) sum += count;
        return sum;
    }

    // Pinned: a transport may keep the addresses while it is at work.
    private static void Grow(ref float[] array, int length)
    {
        if (array.Length < length) array = GC.AllocateUninitializedArray<float>(length, pinned: true);
    }
}
