namespace LoRA2.Native.Tokenizers.Bpe;

/// <summary>Words seen before and their symbols; it is emptied when full, and keeps no long words.</summary>
internal sealed class WordCache
{
    private const int Slots = 1 << 17;
    private const int LongestWord = 64;
    private const int CharLimit = 1 << 20;
    private Slot[]? _slots;
    private char[] _chars = [];
    private int[] _symbols = [];
    private int _charCount, _symbolCount, _wordCount;

    /// <summary>The symbols of a word; false when it is not there.</summary>
    public bool TryGet(ReadOnlySpan<char> word, out ReadOnlySpan<int> symbols)
    {
        symbols = default;
        if (_slots is null || word.Length > LongestWord)
            return false;
        var hash = Hash(word);
        for (var i = (int)(hash & (Slots - 1)); _slots[i].CharLength > 0; i = (i + 1) & (Slots - 1))
        {
            ref var slot = ref _slots[i];
            if (slot.Hash == hash && word.SequenceEqual(_chars.AsSpan(slot.CharStart, slot.CharLength)))
            {
                symbols = _symbols.AsSpan(slot.SymbolStart, slot.SymbolLength);
                return true;
            }
        }

        return false;
    }

    /// <summary>Keeps the symbols of a word that is not there yet.</summary>
    public void Add(ReadOnlySpan<char> word, ReadOnlySpan<int> symbols)
    {
        if (word.IsEmpty || word.Length > LongestWord)
            return;
        if (_slots is null)
            (_slots, _chars, _symbols) = (new Slot[Slots], new char[CharLimit], new int[CharLimit]);
        if (_wordCount > Slots / 2 || _charCount + word.Length > _chars.Length || _symbolCount + symbols.Length > _symbols.Length)
        {
            Array.Clear(_slots);
            _charCount = _symbolCount = _wordCount = 0;
        }

        if (symbols.Length > _symbols.Length)
            return;
        var hash = Hash(word);
        var i = (int)(hash & (Slots - 1));
        while (_slots[i].CharLength > 0)
            i = (i + 1) & (Slots - 1);
        _slots[i] = new Slot
        {
            Hash = hash,
            CharStart = _charCount,
            CharLength = word.Length,
            SymbolStart = _symbolCount,
            SymbolLength = symbols.Length,
        };
        word.CopyTo(_chars.AsSpan(_charCount));
        symbols.CopyTo(_symbols.AsSpan(_symbolCount));
        _charCount += word.Length;
        _symbolCount += symbols.Length;
        _wordCount++;
    }

    private static uint Hash(ReadOnlySpan<char> word)
    {
        var hash = 2166136261u;
        foreach (var c in word)
            hash = (hash ^ c) * 0x9E3779B1u;
        return hash ^ (hash >> 15);
    }

    private struct Slot
    {
        public uint Hash;
        public int CharStart;
        public int CharLength;
        public int SymbolStart;
        public int SymbolLength;
    }
}
