namespace LoRA2.Native.Tokenizers;

/// <summary>Collects token ids, and the tokens' strings where they are asked for.</summary>
internal sealed class TokenSink
{
    private int[] _ids = new int[256];

    public int Count { get; private set; }

    /// <summary>The strings, or null when only ids are wanted.</summary>
    public List<string>? Pieces { get; set; }

    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    public void Clear()
    {
        Count = 0;
        Pieces = null;
    }

    public void Add(int id, string piece)
    {
        if (Count == _ids.Length)
            Array.Resize(ref _ids, 2 * Count);
        _ids[Count++] = id;
        Pieces?.Add(piece);
    }
}
