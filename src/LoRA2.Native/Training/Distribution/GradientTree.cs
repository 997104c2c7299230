using LoRA2.Native.Communication;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Training.Distribution;

/// <summary>
/// Sums the gradients of a batch's parts in the tree of <see cref="SumTree"/>: of no more of them than its branches is anything kept. Slot 0 is the loss, the leaves'
/// gradients follow.
/// </summary>
internal sealed class GradientTree(Tensor[] leaves)
{
    private readonly List<Tensor?[]> sums = [];
    private readonly Stack<Tensor?[]> unused = [];
    private int first = -1;
    private int merges;

    /// <summary>The loss and the leaves.</summary>
    public int Slots { get; } = leaves.Length + 1;

    /// <summary>The branches that are summed, those of the first parts first; in the last one slots are null until they are taken.</summary>
    public IReadOnlyList<Tensor?[]> Branches => sums;

    /// <summary>Begins a part, of a stretch of parts that follow each other.</summary>
    /// <param name="part">Its number in the batch.</param>
    /// <param name="loss">Its loss, which it will add to; rank 0.</param>
    public void BeginPart(int part, Tensor loss)
    {
        if (sums.Count == 0) first = part;
        merges = SumTree.Completed(first, part);
        sums.Add(unused.TryPop(out Tensor?[]? free) ? free : new Tensor?[Slots]);
        sums[^1][0] = loss;
    }

    /// <summary>Takes what a leaf received in this part, and sums what that completes.</summary>
    public void Take(int slot)
    {
        if (slot > 0)
        {
            Tensor leaf = leaves[slot - 1];
            sums[^1][slot] = leaf.Grad;
            leaf.Grad = null;
        }

        for (int merge = 0; merge < merges; merge++) Merge(slot, sums.Count - 2 - merge);
    }

    /// <summary>All slots of the part have been taken.</summary>
    public void EndPart()
    {
        for (; merges > 0; merges--) Drop();
    }

    /// <summary>Sums the branches that are left, from the last to the first; the leaves have their gradients back.</summary>
    /// <param name="loss">Takes the loss.</param>
    public void Fold(Tensor loss)
    {
        for (; sums.Count > 1; Drop())
        {
            for (int slot = 0; slot < Slots; slot++) Merge(slot, sums.Count - 2);
        }

        loss.Device.Kernels.Copy(sums[0][0]!, loss);
        GiveBack();
    }

    /// <summary>Gives the leaves the first branch as their gradients, and forgets everything else.</summary>
    public void GiveBack()
    {
        for (int slot = 1; slot < Slots; slot++)
        {
            leaves[slot - 1].Grad = sums[0][slot];
            sums[0][slot] = null;
        }

        Clear();
    }

    /// <summary>Frees what a step that failed has left.</summary>
    public void Clear()
    {
        while (sums.Count > 0) Drop();
        merges = 0;
    }

    /// <summary>A place for sums of parts that are all elsewhere.</summary>
    public Tensor?[] AddEmpty()
    {
        sums.Add(unused.TryPop(out Tensor?[]? free) ? free : new Tensor?[Slots]);
        return sums[^1];
    }

    /// <summary>Forgets the last branch.</summary>
    public void Drop()
    {
        Tensor?[] last = sums[^1];
        sums.RemoveAt(sums.Count - 1);
        foreach (Tensor? tensor in last) tensor?.Dispose();
        Array.Clear(last);
        unused.Push(last);
    }

    /// <summary>Adds a slot of the branch after <paramref name="branch"/> to it.</summary>
    private void Merge(int slot, int branch)
    {
        Tensor?[] left = sums[branch], right = sums[branch + 1];
        if (right[slot] is not { } addend) return;
        if (left[slot] is { } sum)
        {
            sum.Device.Kernels.AddScaled(addend, 1, sum);
            addend.Dispose();
        }
        else
        {
            left[slot] = addend;
        }

        right[slot] = null;
    }
}
