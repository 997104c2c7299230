
namespace LoRA2.Native.Tokenizers;

/// <summary>Finds added tokens in a text: the leftmost, of those the longest, then on behind it.</summary>
internal sealed class AddedTokenTrie
{
    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<AddedToken?> _tokens = [null];
    private readonly HashSet<char> _firstSet = [];
    private readonly System.Buffers.SearchValues<char> _first;

    public AddedTokenTrie(IEnumerable<(string Content, AddedToken Token)> tokens)
    {
        foreach (var (content, token) in tokens)
        {
            if (content.Length == 0)
                continue;
            _firstSet.Add(content[0]);
            var node = 0;
            foreach (var c in content)
            {
                if (!_edges.TryGetValue((node, c), out var next))
                {
                    next = _tokens.Count;
                    _tokens.Add(null);
                    _edges.Add((node, c), next);
                }

                node = next;
            }

            _tokens[node] = token;
        }

        _first = System.Buffers.SearchValues.Create([.. _firstSet]);
    }

    public bool IsEmpty => _firstSet.Count == 0;

    /// <summary>The next match at or after <paramref name="from"/>; false when there is none.</summary>
    public bool Find(ReadOnlySpan<char> text, int from, out int start, out int end, out AddedToken token)
    {
        while (from < text.Length)
        {
            var at = text[from..].IndexOfAny(_first);
            if (at < 0)
                break;
            start = from + at;
            if (Match(text, start, out end, out token))
                return true;
            from = start + 1;
        }

        (start, end, token) = (text.Length, text.Length, null!);
        return false;
    }

    private bool Match(ReadOnlySpan<char> text, int start, out int end, out AddedToken token)
    {
        (end, token) = (start, null!);
        var node = 0;
        for (var i = start; i < text.Length && _edges.TryGetValue((node, text[i]), out node); i++)
        {
            if (_tokens[node] is { } found)
                (end, token) = (i + 1, found);
        }

        return end > start;
    }
}
