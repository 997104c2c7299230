namespace LoRA2.Native.Data;

/// <summary>Entities in a sequence of tags, by the rules of seqeval 1.2.2 (https://github.com/chakki-works/seqeval), which are those of the CoNLL evaluation.</summary>
public static class EntityTags
{
    /// <summary>The tag of a word that is in no entity.</summary>
    public const string Outside = "O";

    /// <summary>Entities as seqeval takes them by default: an entity begins with B- or S-, and with I- or E- after another type or after none.</summary>
    /// <returns>Type, first word and last word of each.</returns>
    public static IEnumerable<(string Type, int First, int Last)> Lenient(IReadOnlyList<string> tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        return LenientIn(tags);
    }

    private static IEnumerable<(string Type, int First, int Last)> LenientIn(IReadOnlyList<string> tags)
    {
        (char before, string typeBefore, int first) = ('O', "", 0);
        for (int i = 0; i <= tags.Count; i++)
        {
            string tag = i < tags.Count ? tags[i] : Outside;
            (char prefix, string type) = Split(tag);
            if (Ends(before, prefix, typeBefore, type)) yield return (typeBefore, first, i - 1);
            if (Begins(before, prefix, typeBefore, type)) first = i;
            (before, typeBefore) = (prefix, type);
        }
    }

    /// <summary>Entities as seqeval takes them in its strict mode: B- and then I- of the same type; with ends, S- alone or B-, I- and an E- of the same type.</summary>
    /// <param name="tags">The tags.</param>
    /// <param name="hasEnds">Whether the scheme is BIOES, not BIO.</param>
    public static IEnumerable<(string Type, int First, int Last)> Strict(IReadOnlyList<string> tags, bool hasEnds)
    {
        ArgumentNullException.ThrowIfNull(tags);
        return StrictIn(tags, hasEnds);
    }

    private static IEnumerable<(string Type, int First, int Last)> StrictIn(IReadOnlyList<string> tags, bool hasEnds)
    {
        for (int i = 0; i < tags.Count;)
        {
            (char prefix, string type) = Split(tags[i]);
            int first = i++;
            if (hasEnds && prefix == 'S') yield return (type, first, first);
            if (prefix != 'B') continue;
            char last = prefix;
            while (i < tags.Count && last != 'E' && Split(tags[i]) is var next && next.Type == type && (next.Prefix == 'I' || (hasEnds && next.Prefix == 'E')))
            {
                last = next.Prefix;
                i++;
            }

            if (!hasEnds || last == 'E') yield return (type, first, i - 1);
        }
    }

    /// <summary>A tag's letter and its type: B-PER is B and PER.</summary>
    public static (char Prefix, string Type) Split(string tag)
    {
        ArgumentNullException.ThrowIfNull(tag);
        if (tag.Length == 0) return ('O', "_");
        string rest = tag[1..];
        int dash = rest.IndexOf('-', StringComparison.Ordinal);
        string type = dash < 0 ? rest : rest[(dash + 1)..];
        return (tag[0], type.Length == 0 ? "_" : type);
    }

    private static bool Ends(char before, char now, string typeBefore, string type) => before switch
    {
        'E' or 'S' => true,
        'B' or 'I' when now is 'B' or 'S' or 'O' => true,
        'O' or '.' => false,
        _ => typeBefore != type,
    };

    private static bool Begins(char before, char now, string typeBefore, string type)
    {
        if (now is 'B' or 'S') return true;
        if (before is 'E' or 'S' or 'O' && now is 'E' or 'I') return true;
        return now is not ('O' or '.') && typeBefore != type;
    }
}
