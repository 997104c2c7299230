namespace LoRA2.Native.Tokenizers;

/// <summary>HuggingFace's truncation of one or two sequences to a common length.</summary>
internal static class Truncation
{
    /// <summary>
    /// How many tokens of each are kept when together they may have <paramref name="room"/>. Python takes one token after the other
    /// from the longer, from the second when they are equally long; Rust divides what is left and gives the odd one to the longer.
    /// </summary>
    public static (int First, int Second) LongestFirst(int first, int second, int room, bool likePython)
    {
        if ((long)first + second <= room)
            return (first, second);
        var (low, high) = (room / 2, room - room / 2);
        if (likePython)
        {
            // Both are cut, or the shorter fits whole beside what the longer may keep.
            if (first <= low)
                return (first, room - first);
            if (second <= low)
                return (room - second, second);
            return (high, low);
        }

        var (shorter, longer) = (Math.Min(first, second), Math.Max(first, second));
        longer = shorter > room ? shorter : Math.Max(shorter, room - shorter);
        if ((long)shorter + longer > room)
            (shorter, longer) = (low, high);
        return first > second ? (longer, shorter) : (shorter, longer);
    }
}
