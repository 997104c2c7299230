using LoRA2.Native.Cuda.Tests.Emulation.Operations;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>
/// Orders a kernel's basic blocks so that every way forward leads to a later place, and the blocks of a loop come before
/// what follows it. A warp that always runs its lanes at the smallest place then brings them together where their ways join.
/// </summary>
internal static class CodeLayout
{
    public static Operation[] Arrange(IReadOnlyList<PtxStatement> statements, Operation[] operations)
    {
        var blocks = Split(statements, operations);
        var order = FlowOrder.Of([.. blocks.Select(b => b.Next)]);
        var places = new int[blocks.Count];
        var code = new List<Operation>();
        var jumps = new List<(Branch Jump, int Block)>();
        for (var n = 0; n < order.Count; n++)
        {
            var block = blocks[order[n]];
            places[order[n]] = code.Count;
            code.AddRange(operations.AsSpan(block.First, block.End - block.First));
            if (block.First == operations.Length)
                code.Add(new Exit { Text = "(end)" });
            if (block.FallsThrough is { } next && (n + 1 == order.Count || order[n + 1] != next))
            {
                var jump = new Branch { Text = "(jump to what follows)" };
                jumps.Add((jump, next));
                code.Add(jump);
            }
        }
        foreach (var (jump, block) in jumps)
            jump.Target = places[block];
        var starts = Enumerable.Range(0, blocks.Count).ToDictionary(b => blocks[b].First, b => places[b]);
        for (var s = 0; s < operations.Length; s++)
        {
            if (operations[s] is Branch branch)
                branch.Target = starts[statements[s].Targets[0]];
            else if (operations[s] is IndexedBranch indexed)
                statements[s].Targets.Select(t => starts[t]).ToArray().CopyTo(indexed.Targets, 0);
        }
        return [.. code];
    }

    private sealed record Block(int First, int End, int? FallsThrough, IReadOnlyList<int> Next);

    private static List<Block> Split(IReadOnlyList<PtxStatement> statements, Operation[] operations)
    {
        var count = operations.Length;
        var leaders = new SortedSet<int> { 0 };
        for (var s = 0; s < count; s++)
        {
            foreach (var target in statements[s].Targets)
                leaders.Add(target);
            if (operations[s].Flow is OperationFlow.Branch or OperationFlow.Exit)
                leaders.Add(s + 1);
        }
        leaders.Remove(count);
        var firsts = leaders.ToArray();
        var index = new Dictionary<int, int>();
        for (var b = 0; b < firsts.Length; b++)
            index[firsts[b]] = b;
        // The place past the last statement is a block of its own, which only ends.
        index[count] = firsts.Length;
        var blocks = new List<Block>();
        for (var b = 0; b < firsts.Length; b++)
        {
            var end = b + 1 < firsts.Length ? firsts[b + 1] : count;
            var last = end > firsts[b] ? end - 1 : -1;
            var ends = last >= 0 && operations[last].Flow is OperationFlow.Branch or OperationFlow.Exit && statements[last].Guard is null;
            int? follows = ends ? null : index[end];
            var next = last < 0 ? [] : statements[last].Targets.Select(t => index[t]).ToList();
            if (follows is { } f)
                next.Insert(0, f);
            blocks.Add(new Block(firsts[b], end, follows, next));
        }
        blocks.Add(new Block(count, count, null, []));
        return blocks;
    }
}
