using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>
/// Which registers a thread may read before it has written them: those alive where the kernel begins. What is not known to be written counts as read.
/// </summary>
internal static class UnsetRegisters
{
    /// <summary>Their numbers, predicates left out.</summary>
    /// <param name="count">The number of the kernel's registers.</param>
    /// <param name="instructions">The kernel, decoded.</param>
    public static IEnumerable<int> Of(int count, IReadOnlyList<Instruction> instructions)
    {
        var blocks = Split(count, instructions);
        var starts = blocks.ToDictionary(b => b.First);
        for (var changed = true; changed;)
        {
            changed = false;
            for (var b = blocks.Count - 1; b >= 0; b--)
            {
                var block = blocks[b];
                foreach (var next in block.Next)
                {
                    if (starts.TryGetValue(next, out var follower))
                        changed |= block.Reach(follower);
                }
            }
        }
        return Enumerable.Range(0, count).Where(r => blocks.Count > 0 && Holds(blocks[0].Alive, r));
    }

    private static bool Holds(ulong[] set, int register) => (set[register / 64] >> (register % 64) & 1) != 0;

    private static List<Block> Split(int count, IReadOnlyList<Instruction> instructions)
    {
        var leaders = new SortedSet<int> { 0 };
        for (var s = 0; s < instructions.Count; s++)
        {
            var targets = instructions[s].Statement.Targets;
            leaders.UnionWith(targets);
            if (targets.Count > 0)
                leaders.Add(s + 1);
        }
        var firsts = leaders.Where(s => s < instructions.Count).ToArray();
        var blocks = new List<Block>();
        for (var b = 0; b < firsts.Length; b++)
        {
            var end = b + 1 < firsts.Length ? firsts[b + 1] : instructions.Count;
            // That a jump may also not be taken only makes more registers count as read.
            var block = new Block(firsts[b], count, [end, .. instructions[end - 1].Statement.Targets]);
            for (var s = firsts[b]; s < end; s++)
                block.Add(instructions[s]);
            blocks.Add(block);
        }
        return blocks;
    }

    /// <summary>Statements that run one after the other.</summary>
    private sealed class Block(int first, int count, IReadOnlyList<int> next)
    {
        public int First => first;

        public IReadOnlyList<int> Next => next;

        /// <summary>The registers whose values matter where the block begins: at first those that it reads before it writes them.</summary>
        public ulong[] Alive { get; } = new ulong[(count + 63) / 64];

        /// <summary>The registers that the block writes.</summary>
        public ulong[] Written { get; } = new ulong[(count + 63) / 64];

        /// <summary>Adds what a block that may follow needs; says whether that was news.</summary>
        public bool Reach(Block follower)
        {
            var news = 0UL;
            for (var i = 0; i < Alive.Length; i++)
            {
                var needed = follower.Alive[i] & ~Written[i] & ~Alive[i];
                Alive[i] |= needed;
                news |= needed;
            }
            return news != 0;
        }

        public void Add(Instruction instruction)
        {
            // A predicate leaves in some lanes what was there before.
            var written = instruction.Statement.Guard is null ? instruction.Destinations : [];
            foreach (var operand in instruction.Statement.Operands)
                AddRead(operand, written);
            foreach (var operand in written)
                Written[operand.Register!.Index / 64] |= 1UL << (operand.Register.Index % 64);
        }

        private void AddRead(PtxOperand operand, IReadOnlyList<PtxOperand> written)
        {
            if (operand.Register is { } register && register.Type != PtxType.Predicate && !Holds(Written, register.Index) && !written.Contains(operand))
                Alive[register.Index / 64] |= 1UL << (register.Index % 64);
            if (operand.Second is { } second)
                AddRead(second, written);
            foreach (var element in operand.Elements)
                AddRead(element, written);
        }
    }
}
