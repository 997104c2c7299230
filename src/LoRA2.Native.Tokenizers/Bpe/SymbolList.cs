namespace LoRA2.Native.Tokenizers.Bpe;

/// <summary>The symbols of one word while they are merged: a doubly linked list in arrays.</summary>
internal sealed class SymbolList
{
    public int[] Symbols { get; private set; } = new int[64];

    public int[] Next { get; private set; } = new int[64];

    public int[] Previous { get; private set; } = new int[64];

    public int Count { get; private set; }

    /// <summary>Merges waiting, the lowest rank and then the leftmost first.</summary>
    public PriorityQueue<(int Position, int Left, int Right), (int Rank, int Position)> Queue { get; } = new();

    public List<(int Position, int Left, int Right)> Batch { get; } = [];

    public void Clear() => Count = 0;

    public void Truncate(int count) => Count = count;

    public void Add(int symbol)
    {
        if (Count == Symbols.Length)
        {
            var size = 2 * Count;
            (var symbols, var next, var previous) = (Symbols, Next, Previous);
            Array.Resize(ref symbols, size);
            Array.Resize(ref next, size);
            Array.Resize(ref previous, size);
            (Symbols, Next, Previous) = (symbols, next, previous);
        }

        Symbols[Count] = symbol;
        Previous[Count] = Count - 1;
        Next[Count] = ++Count;
    }
}
