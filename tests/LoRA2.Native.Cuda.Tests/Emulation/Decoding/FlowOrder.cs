namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>
/// Orders a flow graph's reachable blocks: a block comes after all that lead to it, but for the edges that close a loop,
/// and after all blocks of a loop that can lead to it from inside.
/// </summary>
internal sealed class FlowOrder
{
    private readonly IReadOnlyList<int>[] next;
    private readonly List<int>[] exits;
    private readonly bool[] visited;
    private readonly List<int> finished = [];

    private FlowOrder(IReadOnlyList<int>[] next)
    {
        this.next = next;
        visited = new bool[next.Length];
        exits = new List<int>[next.Length];
    }

    /// <summary>The blocks' order; <paramref name="next"/> holds the successors of each block, and block 0 is the first.</summary>
    public static List<int> Of(IReadOnlyList<int>[] next)
    {
        var order = new FlowOrder(next);
        order.FindLoops();
        order.Visit(0);
        order.finished.Reverse();
        return order.finished;
    }

    // What follows a loop is finished first, so that, reversed, it comes last.
    private void Visit(int block)
    {
        visited[block] = true;
        foreach (var following in (exits[block] ?? []).Concat(next[block]))
        {
            if (!visited[following])
                Visit(following);
        }
        finished.Add(block);
    }

    // For the head of each loop, the blocks outside to which the loop leads.
    private void FindLoops()
    {
        var before = new List<int>[next.Length];
        for (var b = 0; b < next.Length; b++)
            before[b] = [];
        for (var b = 0; b < next.Length; b++)
        {
            foreach (var to in next[b])
                before[to].Add(b);
        }
        var dominators = Dominators(before);
        for (var head = 0; head < next.Length; head++)
        {
            var body = new HashSet<int> { head };
            var open = new Stack<int>(before[head].Where(b => dominators[b]?.Contains(head) == true));
            if (open.Count == 0)
                continue;
            while (open.TryPop(out var block))
            {
                if (body.Add(block))
                {
                    foreach (var b in before[block])
                        open.Push(b);
                }
            }
            exits[head] = [.. body.SelectMany(b => next[b]).Where(b => !body.Contains(b)).Distinct()];
        }
    }

    // The blocks on every way to each block, itself among them; null where it cannot be reached.
    private HashSet<int>?[] Dominators(List<int>[] before)
    {
        var sets = new HashSet<int>?[next.Length];
        sets[0] = [0];
        for (var changed = true; changed;)
        {
            changed = false;
            for (var b = 1; b < next.Length; b++)
            {
                HashSet<int>? common = null;
                foreach (var from in before[b])
                {
                    if (sets[from] is not { } set)
                        continue;
                    if (common is null)
                        common = [.. set];
                    else
                        common.IntersectWith(set);
                }
                if (common is null)
                    continue;
                common.Add(b);
                if (sets[b] is null || sets[b]!.Count != common.Count)
                {
                    sets[b] = common;
                    changed = true;
                }
            }
        }
        return sets;
    }
}
