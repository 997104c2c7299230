using LoRA2.Native.Communication;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Training.Distribution;

/// <summary>
/// Sums a batch's gradients over processes, each of which has computed a stretch of its parts. The elements go in buckets, each as soon as the backward pass of this
/// process's last part is done with them; of each bucket every process sums a stretch, from the branches that everybody sends, and gives it to all. So each process sends
/// about twice the gradients' size, whatever the number of processes, and a thread of its own does it while the backward pass goes on.
/// </summary>
internal sealed class GradientExchange : IDisposable
{
    /// <summary>Elements of a bucket: 1 MiB, or a 64th of all where that is more.</summary>
    private const int LeastBucket = 1 << 18;
    private const int MostBuckets = 64;

    private readonly Communicator communicator;
    private readonly Tensor[] leaves;
    private readonly GradientTree tree;
    private readonly GradientWatch watch;
    private readonly BranchSum sum;
    private readonly StepWords words;

    // Where each slot begins among the elements of all, and where each bucket begins.
    private readonly long[] starts;
    private readonly long[] buckets;
    private readonly List<(int First, int Size)>[] branches;
    private readonly bool[] complete;
    private readonly bool[] present;
    private readonly SemaphoreSlim ready = new(0);
    private readonly SemaphoreSlim done = new(0);
    private readonly Thread worker;
    private Tensor?[][] own = [];
    private int completed;
    private int handedOver;
    private int exchanged;
    private bool disposed;
    private volatile Exception? failure;

    /// <param name="communicator">More than one process.</param>
    /// <param name="leaves">What is trained, Float32 on the CPU, in about the order in which a backward pass is done with them.</param>
    /// <param name="tree">The sums of this process.</param>
    public GradientExchange(Communicator communicator, Tensor[] leaves, GradientTree tree)
    {
        (this.communicator, this.leaves, this.tree) = (communicator, leaves, tree);
        starts = new long[tree.Slots + 1];
        for (int slot = 0; slot < tree.Slots; slot++) starts[slot + 1] = starts[slot] + (slot == 0 ? 1 : leaves[slot - 1].Count);
        long size = Math.Max(LeastBucket, (starts[^1] + MostBuckets - 1) / MostBuckets);
        buckets = [.. Enumerable.Range(0, (int)((starts[^1] + size - 1) / size)).Select(i => i * size), starts[^1]];
        branches = [.. Enumerable.Range(0, communicator.Size).Select(_ => new List<(int, int)>())];
        (complete, present) = (new bool[tree.Slots], new bool[tree.Slots]);
        watch = new GradientWatch(leaves, leaf => Complete(leaf + 1));
        sum = new BranchSum(communicator);
        words = new StepWords(communicator, tree.Slots);
        worker = new Thread(Work) { IsBackground = true, Name = "gradient exchange" };
        worker.Start();
    }

    /// <summary>What the processes told each other with the last step's gradients.</summary>
    public StepWords Words => words;

    /// <summary>Begins a step of so many parts.</summary>
    /// <returns>The parts of this process, from the first to before the end.</returns>
    public (int First, int End) Begin(int parts)
    {
        for (int rank = 0; rank < communicator.Size; rank++)
        {
            (int first, int end) = SumTree.Share(parts, rank, communicator.Size);
            SumTree.Branches(first, end, branches[rank]);
        }

        Array.Clear(complete);
        completed = handedOver = exchanged = 0;
        return SumTree.Share(parts, communicator.Rank, communicator.Size);
    }

    /// <summary>This process's last part is about to be differentiated; its loss is known.</summary>
    public void BeginLast()
    {
        Array.Resize(ref own, branches[communicator.Rank].Count);
        for (int i = 0; i < own.Length; i++) own[i] = tree.Branches[i];
        Complete(0);
        watch.Begin();
    }

    /// <summary>The last part's backward pass is done, or has failed.</summary>
    public void EndLast(bool failed)
    {
        if (failed) watch.Cancel();
        else watch.End();
    }

    /// <summary>Waits for the sums of all: the leaves have them as their gradients.</summary>
    /// <param name="loss">Takes the loss of the whole batch.</param>
    /// <param name="word">What this process says besides.</param>
    /// <exception cref="CommunicationException">A process is no more.</exception>
    public void Finish(Tensor loss, StepWord word)
    {
        bool hasParts = branches[communicator.Rank].Count > 0;
        if (!hasParts) TakePart();
        for (; exchanged < buckets.Length - 1; exchanged++) done.Wait();
        if (failure is { } e) throw new CommunicationException(e.Message, e);
        tree.EndPart();
        for (int slot = 0; slot < present.Length; slot++) present[slot] = hasParts && tree.Branches[0][slot] is not null;
        words.Exchange(word, present);
        for (int slot = 1; slot < present.Length; slot++)
        {
            if (!hasParts && !words.IsPresent(slot)) Forget(tree.Branches[0], slot);
            if (hasParts && words.IsPresent(slot) != present[slot]) throw new InvalidOperationException($"leaf {slot - 1} has a gradient in some processes only");
        }

        loss.Device.Kernels.Copy(tree.Branches[0][0]!, loss);
        while (tree.Branches.Count > 1) tree.Drop();
        tree.GiveBack();
    }

    /// <summary>The step has failed: the others are told, and when it returns the thread reads and writes none of the step's tensors any more.</summary>
    public void GiveUp(string reason)
    {
        // What waits for the others ends by that.
        communicator.Abort(reason);
        for (; exchanged < handedOver; exchanged++) done.Wait();
    }

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        handedOver = int.MaxValue;
        ready.Release();
        worker.Join();
        ready.Dispose();
        done.Dispose();
    }

    /// <summary>A process without parts of its own, of a batch smaller than usual, has places for the sums alone.</summary>
    private void TakePart()
    {
        Tensor?[] places = tree.AddEmpty();
        using var scope = new TensorScope();
        places[0] = scope.Detach(Tensor.Zeros([], DType.Float32));
        for (int i = 0; i < leaves.Length; i++) places[i + 1] = scope.Detach(Tensor.Empty(leaves[i].Shape, leaves[i].DType));
        own = [];
        for (int slot = 0; slot < tree.Slots; slot++) Announce(slot);
    }

    private void Complete(int slot)
    {
        tree.Take(slot);
        Announce(slot);
    }

    private void Announce(int slot)
    {
        complete[slot] = true;
        while (completed < complete.Length && complete[completed]) completed++;
        for (; handedOver < buckets.Length - 1 && buckets[handedOver + 1] <= starts[completed]; handedOver++) ready.Release();
    }

    private void Work()
    {
        for (int bucket = 0; ; bucket = (bucket + 1) % (buckets.Length - 1))
        {
            ready.Wait();
            if (disposed) return;
            try
            {
                if (failure is null) Exchange(buckets[bucket], buckets[bucket + 1]);
            }
            catch (Exception e)
            {
                failure = e;
            }

            done.Release();
        }
    }

    private void Exchange(long from, long to)
    {
        sum.Begin((int)(to - from), branches);
        for (int branch = 0; branch < own.Length; branch++)
        {
            for (int slot = SlotAt(from); slot < tree.Slots && starts[slot] < to; slot++)
            {
                long first = Math.Max(from, starts[slot]), end = Math.Min(to, starts[slot + 1]);
                ReadOnlySpan<float> values = own[branch][slot] is { } tensor ? tensor.AsSpan<float>().Slice((int)(first - starts[slot]), (int)(end - first)) : default;
                sum.Put(branch, (int)(first - from), (int)(end - first), values);
            }
        }

        ReadOnlySpan<float> sums = sum.Exchange();
        Tensor?[] places = tree.Branches[0];
        for (int slot = SlotAt(from); slot < tree.Slots && starts[slot] < to; slot++)
        {
            long first = Math.Max(from, starts[slot]), end = Math.Min(to, starts[slot + 1]);
            if (places[slot] is { } tensor) sums.Slice((int)(first - from), (int)(end - first)).CopyTo(tensor.AsSpan<float>()[(int)(first - starts[slot])..]);
        }
    }

    private int SlotAt(long element)
    {
        int slot = Array.BinarySearch(starts, element);
        // The last of those that begin there, past such as are empty.
        if (slot < 0) return ~slot - 1;
        while (slot + 1 < tree.Slots && starts[slot + 1] == element) slot++;
        return slot;
    }

    private static void Forget(Tensor?[] places, int slot)
    {
        places[slot]?.Dispose();
        places[slot] = null;
    }
}
