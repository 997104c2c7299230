namespace LoRA2.Native.Tensors.Autograd;

/// <summary>
/// Tells during a backward pass which leaves' gradients are complete, so that something can be done with them while the pass goes on. Which op is the last to give a leaf
/// its part is learned from the pass before with as many ops; after a pass of another length everything is complete at its end.
/// </summary>
internal sealed class GradientWatch
{
    [ThreadStatic]
    private static GradientWatch? current;

    private readonly Dictionary<Tensor, int> places = new(ReferenceEqualityComparer.Instance);
    private readonly Action<int> completed;

    // After how many ops each leaf was last given something: in this pass, and in the one that was learned from.
    private readonly int[] touched;
    private readonly int[] learned;
    private readonly int[] order;
    private int learnedOps = -1;
    private int ops;
    private int steps;
    private int next;
    private bool isEntered;

    /// <summary>Watches leaves; <paramref name="completed"/> is told the place of each, once a pass.</summary>
    public GradientWatch(IReadOnlyList<Tensor> leaves, Action<int> completed)
    {
        this.completed = completed;
        for (int i = 0; i < leaves.Count; i++) places.Add(leaves[i], i);
        (touched, learned, order) = (new int[leaves.Count], new int[leaves.Count], [.. Enumerable.Range(0, leaves.Count)]);
    }

    /// <summary>Watches the next backward pass on this thread, until <see cref="End"/>.</summary>
    public void Begin()
    {
        current = this;
        isEntered = false;
        steps = next = ops = 0;
        Array.Clear(touched);
    }

    /// <summary>The pass is done: what was not told yet is complete now.</summary>
    public void End()
    {
        current = null;
        int told = ops == learnedOps ? next : 0;
        if (ops != learnedOps)
        {
            touched.CopyTo(learned, 0);
            for (int i = 0; i < order.Length; i++) order[i] = i;
            Array.Sort((int[])learned.Clone(), order);
            learnedOps = ops;
        }

        for (next = told; next < order.Length; next++) completed(order[next]);
    }

    /// <summary>The pass failed.</summary>
    public void Cancel()
    {
        if (current == this) current = null;
    }

    /// <summary>The watch of the outermost pass that begins on this thread, or null; passes inside it count as the op that they are in.</summary>
    internal static GradientWatch? Enter(int ops)
    {
        if (current is not { isEntered: false } watch) return null;
        watch.isEntered = true;
        watch.ops = ops;
        return watch;
    }

    /// <summary>A leaf is given a part of its gradient.</summary>
    internal static void Touch(Tensor leaf)
    {
        if (current is { } watch && leaf.Producer is null && watch.places.TryGetValue(leaf, out int place)) watch.Touched(place);
    }

    /// <summary>The backward pass of one more op is done.</summary>
    internal void Stepped()
    {
        steps++;
        if (ops != learnedOps) return;
        while (next < order.Length && learned[order[next]] < steps) completed(order[next++]);
    }

    private void Touched(int place)
    {
        if (ops == learnedOps && learned[place] < steps)
            throw new InvalidOperationException($"a gradient of leaf {place} came after op {learned[place]} of {ops} on the tape, which was the last to give one in the pass before");
        touched[place] = steps;
    }
}
