namespace LoRA2.Native.Tokenizers;

/// <summary>Collects token ids, and the tokens' strings and places where they are asked for.</summary>
internal sealed class TokenSink
{
    private readonly List<(int Start, int End, int Word)> _places = [];
    private int[] _ids = new int[256];
    private Alignment? _origins;
    private int _origin;

    public int Count { get; private set; }

    /// <summary>The strings, or null when only ids are wanted.</summary>
    public List<string>? Pieces { get; set; }

    /// <summary>Whether places are wanted; the strings are then too.</summary>
    public bool Follows { get; private set; }

    /// <summary>The number of the word that tokens are added of.</summary>
    public int Word { get; set; } = -1;

    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    /// <summary>Start and end of each token in the text, and its word.</summary>
    public List<(int Start, int End, int Word)> Places => _places;

    public void Clear()
    {
        Count = 0;
        Pieces = null;
        Follows = false;
        Word = -1;
        _places.Clear();
    }

    /// <summary>Asks for strings and places.</summary>
    public void Follow()
    {
        Follows = true;
        Pieces = [];
    }

    /// <summary>Says what the tokens that follow are counted in.</summary>
    /// <param name="origins">Where the characters of that text came from; null when they are the user's own.</param>
    /// <param name="origin">Where it begins among them.</param>
    public void Reads(Alignment? origins, int origin) => (_origins, _origin) = (origins, origin);

    /// <summary>Begins a word.</summary>
    public void NextWord() => Word++;

    /// <summary>Adds a token.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="piece">Its string.</param>
    /// <param name="start">Its first character in the text that is read; only asked for with places.</param>
    /// <param name="end">The place after its last.</param>
    public void Add(int id, string piece, int start, int end)
    {
        if (Count == _ids.Length)
            Array.Resize(ref _ids, 2 * Count);
        _ids[Count++] = id;
        Pieces?.Add(piece);
        if (!Follows)
            return;
        var (first, last) = _origins?.Of(_origin + start, _origin + end) ?? (_origin + start, _origin + end);
        _places.Add((first, last, Math.Max(Word, 0)));
    }
}
