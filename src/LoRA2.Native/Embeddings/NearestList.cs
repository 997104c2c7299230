namespace LoRA2.Native.Embeddings;

/// <summary>The best of the scores seen so far: a heap whose root is the worst of them. Scores come in the order of their numbers; of equal ones the earlier stays.</summary>
internal sealed class NearestList(int capacity)
{
    private readonly Neighbour[] heap = new Neighbour[capacity];
    private int count;

    /// <summary>Looks at the scores of numbers <paramref name="first"/>, <paramref name="first"/> + 1, ….</summary>
    public void Add(int first, ReadOnlySpan<float> scores)
    {
        int i = 0;
        for (; i < scores.Length && count < heap.Length; i++)
        {
            heap[count++] = new Neighbour(first + i, scores[i]);
            Up(count - 1);
        }

        for (; i < scores.Length; i++)
        {
            if (heap.Length == 0 || !(scores[i] > heap[0].Score)) continue;
            heap[0] = new Neighbour(first + i, scores[i]);
            Down();
        }
    }

    /// <summary>The best first.</summary>
    public Neighbour[] Ordered()
    {
        Neighbour[] ordered = heap[..count];
        Array.Sort(ordered, static (one, other) => IsWorse(one, other) ? 1 : IsWorse(other, one) ? -1 : 0);
        return ordered;
    }

    private static bool IsWorse(Neighbour one, Neighbour other) => one.Score < other.Score || (one.Score == other.Score && one.Index > other.Index);

    private void Up(int place)
    {
        while (place > 0 && IsWorse(heap[place], heap[(place - 1) / 2]))
        {
            int above = (place - 1) / 2;
            (heap[place], heap[above]) = (heap[above], heap[place]);
            place = above;
        }
    }

    private void Down()
    {
        int place = 0;
        while (true)
        {
            int worst = place;
            for (int below = (2 * place) + 1; below <= (2 * place) + 2 && below < count; below++)
            {
                if (IsWorse(heap[below], heap[worst])) worst = below;
            }

            if (worst == place) return;
            (heap[place], heap[worst]) = (heap[worst], heap[place]);
            place = worst;
        }
    }
}
