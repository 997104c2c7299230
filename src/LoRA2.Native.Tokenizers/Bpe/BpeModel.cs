using System.Text;
using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Bpe;

/// <summary>Byte-pair encoding of one word: of adjacent symbols that a merge rule joins, the rule of lowest rank goes first.</summary>
internal sealed class BpeModel
{
    private const int ShortWord = 48;
    private readonly Dictionary<string, int> _symbols = [];
    private readonly List<string> _texts = [];
    private readonly List<int> _ids = [];
    private readonly Dictionary<long, (int Rank, int Product)> _merges;
    private readonly int[] _byteSymbols = new int[256];
    private readonly int[] _fallback = new int[256];
    private readonly BpeOptions _options;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly int _unknown = -1;

    /// <summary>Builds the model; <paramref name="where"/> names rule <c>i</c> in messages.</summary>
    /// <exception cref="InputException">A rule has a part or product, or the options a token, that the vocabulary lacks.</exception>
    public BpeModel(
        IEnumerable<(string Token, int Id)> vocabulary, IReadOnlyList<(string Left, string Right)> merges, BpeOptions options, Func<int, string> where)
    {
        _options = options;
        foreach (var (token, id) in vocabulary)
        {
            _symbols[token] = _texts.Count;
            _texts.Add(token);
            _ids.Add(id);
        }

        var known = _texts.Count;
        _merges = new Dictionary<long, (int Rank, int Product)>(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            if (left.Length == 0)
                continue;
            var prefix = options.ContinuingPrefix.Length;
            if (prefix > 0 && right.Length < prefix)
                throw new InputException($"{where(rank)}: '{right}' is shorter than the prefix '{options.ContinuingPrefix}'.");
            var (l, r) = (Symbol(left), Symbol(right));
            var product = Symbol(left + right[prefix..]);
            if (!options.ProductsMayBeUnknown && Math.Max(Math.Max(l, r), product) >= known)
            {
                var missing = l >= known ? left : r >= known ? right : left + right[prefix..];
                throw new InputException($"{where(rank)}: '{missing}' of the merge '{left} {right}' is not in the vocabulary.");
            }

            _merges[Key(l, r)] = (rank, product);
        }

        if (options.UnknownToken is not null && !_symbols.TryGetValue(options.UnknownToken, out _unknown))
            _unknown = -1;
        for (var b = 0; b < 256; b++)
        {
            _byteSymbols[b] = options.ProductsMayBeUnknown
                ? Symbol(ByteAlphabet.Chars[b].ToString())
                : _symbols.GetValueOrDefault(ByteAlphabet.Chars[b].ToString(), -1);
            _fallback[b] = _symbols.GetValueOrDefault($"<0x{b:X2}>", -1);
        }

        _lookup = _symbols.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Appends the tokens of a word whose UTF-8 bytes are the first symbols.</summary>
    public void EncodeBytes(ReadOnlySpan<char> word, Scratch scratch, TokenSink sink)
    {
        if (scratch.Words.TryGet(word, out var cached))
        {
            Emit(cached, word, isBytes: true, sink);
            return;
        }

        scratch.Utf8.Clear();
        scratch.Utf8.Append(word);
        var symbols = scratch.Symbols;
        symbols.Clear();
        if (_options.IgnoreMerges && Whole(scratch.Utf8.Span) is var whole and >= 0)
        {
            symbols.Add(whole);
        }
        else
        {
            foreach (var b in scratch.Utf8.Span)
            {
                if (_byteSymbols[b] >= 0)
                    symbols.Add(_byteSymbols[b]);
                else
                    AddUnknown(symbols, Encoding.UTF8.GetBytes([ByteAlphabet.Chars[b]]));
            }

            Merge(symbols);
        }

        var result = symbols.Symbols.AsSpan(0, symbols.Count);
        scratch.Words.Add(word, result);
        Emit(result, word, isBytes: true, sink);
    }

    /// <summary>Appends the tokens of a word whose characters are the first symbols.</summary>
    public void EncodeChars(ReadOnlySpan<char> word, Scratch scratch, TokenSink sink)
    {
        if (scratch.Words.TryGet(word, out var cached))
        {
            Emit(cached, word, isBytes: false, sink);
            return;
        }

        var symbols = scratch.Symbols;
        symbols.Clear();
        if (_options.IgnoreMerges && _lookup.TryGetValue(word, out var whole))
        {
            symbols.Add(whole);
        }
        else
        {
            for (var i = 0; i < word.Length;)
            {
                var start = i;
                CodePoint.Next(word, ref i);
                var text = word[start..i].ToString();
                if (start > 0)
                    text = _options.ContinuingPrefix + text;
                if (i == word.Length)
                    text += _options.EndOfWordSuffix;
                if (_symbols.TryGetValue(text, out var symbol))
                    symbols.Add(symbol);
                else
                    AddUnknown(symbols, Encoding.UTF8.GetBytes(text));
            }

            Merge(symbols);
        }

        var result = symbols.Symbols.AsSpan(0, symbols.Count);
        scratch.Words.Add(word, result);
        Emit(result, word, isBytes: false, sink);
    }

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    private int Symbol(string text)
    {
        if (!_symbols.TryGetValue(text, out var symbol))
        {
            symbol = _texts.Count;
            _symbols.Add(text, symbol);
            _texts.Add(text);
            _ids.Add(_options.UnknownId);
        }

        return symbol;
    }

    private int Whole(ReadOnlySpan<byte> bytes)
    {
        Span<char> text = bytes.Length <= 256 ? stackalloc char[bytes.Length] : new char[bytes.Length];
        for (var i = 0; i < bytes.Length; i++)
            text[i] = ByteAlphabet.Chars[bytes[i]];
        return _lookup.TryGetValue(text, out var symbol) ? symbol : -1;
    }

    private void AddUnknown(SymbolList symbols, byte[] utf8)
    {
        if (_options.ByteFallback && Array.TrueForAll(utf8, b => _fallback[b] >= 0))
        {
            foreach (var b in utf8)
                symbols.Add(_fallback[b]);
        }
        else if (_unknown >= 0 && !(_options.FuseUnknown && symbols.Count > 0 && symbols.Symbols[symbols.Count - 1] == _unknown))
        {
            symbols.Add(_unknown);
        }
    }

    private void Emit(ReadOnlySpan<int> symbols, ReadOnlySpan<char> word, bool isBytes, TokenSink sink)
    {
        if (!sink.Follows)
        {
            foreach (var symbol in symbols)
                sink.Add(_ids[symbol], _texts[symbol], 0, 0);
            return;
        }

        // Byte-level symbols have a character a byte; the others' characters are the word's, but for what a model puts before or behind them.
        var bytes = isBytes ? Encoding.UTF8.GetBytes(word.ToArray()) : [];
        int Length(int symbol, int index, int count) => _texts[symbol].Length - (index > 0 && !isBytes ? _options.ContinuingPrefix.Length : 0) - (index == count - 1 && !isBytes ? _options.EndOfWordSuffix.Length : 0);
        var (total, hasOthers) = (0, false);
        for (var i = 0; i < symbols.Length; i++)
        {
            total += Length(symbols[i], i, symbols.Length);
            hasOthers |= StandsForOthers(symbols[i]);
        }

        // The lengths may add up by chance, as those of two runs of unknown characters, one shorter and one longer than the unknown token.
        var isWhole = total != (isBytes ? bytes.Length : word.Length) || hasOthers;
        for (int i = 0, start = 0; i < symbols.Length; i++)
        {
            var end = start + Length(symbols[i], i, symbols.Length);
            // With an unknown symbol no token's characters are certain but the word's.
            if (isWhole)
                sink.Add(_ids[symbols[i]], _texts[symbols[i]], 0, word.Length);
            else if (isBytes)
                sink.Add(_ids[symbols[i]], _texts[symbols[i]], FirstChar(word, start), FirstChar(word, end - 1, after: true));
            else
                sink.Add(_ids[symbols[i]], _texts[symbols[i]], start, end);
            start = end;
        }
    }

    /// <summary>Whether a symbol's length says nothing of the text that it stands for: it may be the unknown token, or a byte that is spelled out.</summary>
    private bool StandsForOthers(int symbol) => (symbol == _unknown && _texts[symbol].Length != 1) || (_options.ByteFallback && _fallback.AsSpan().Contains(symbol));

    /// <summary>Where the character that a byte is of begins, or the place after it.</summary>
    private static int FirstChar(ReadOnlySpan<char> word, int index, bool after = false)
    {
        for (int i = 0, bytes = 0; i < word.Length;)
        {
            var start = i;
            CodePoint.Next(word, ref i);
            bytes += Encoding.UTF8.GetByteCount(word[start..i]);
            if (index < bytes)
                return after ? i : start;
        }

        return word.Length;
    }

    private void Merge(SymbolList word)
    {
        if (word.Count <= ShortWord)
            MergeShort(word);
        else
            MergeLong(word);
    }

    /// <summary>Looks the whole word over for the best pair, again and again.</summary>
    internal void MergeShort(SymbolList word)
    {
        var symbols = word.Symbols;
        var count = word.Count;
        while (count > 1)
        {
            var (rank, at, product) = (int.MaxValue, -1, -1);
            for (var i = 0; i + 1 < count; i++)
            {
                if (_merges.TryGetValue(Key(symbols[i], symbols[i + 1]), out var merge) && merge.Rank < rank)
                    (rank, at, product) = (merge.Rank, i, merge.Product);
            }

            if (at < 0)
                break;
            var (left, right) = (symbols[at], symbols[at + 1]);
            var written = at;
            for (var i = at; i < count; i++)
            {
                if (i + 1 < count && symbols[i] == left && symbols[i + 1] == right && (i == at || _options.MergesAllAtOnce))
                {
                    symbols[written++] = product;
                    i++;
                }
                else
                {
                    symbols[written++] = symbols[i];
                }
            }

            count = written;
        }

        word.Truncate(count);
    }

    /// <summary>Keeps the pairs in a queue: n log n for a word of n symbols.</summary>
    internal void MergeLong(SymbolList word)
    {
        var (queue, batch) = (word.Queue, word.Batch);
        queue.Clear();
        for (var i = 0; i + 1 < word.Count; i++)
            Enqueue(word, i);
        while (queue.TryDequeue(out var first, out var priority))
        {
            batch.Clear();
            batch.Add(first);
            while (_options.MergesAllAtOnce && queue.TryPeek(out var more, out var morePriority) && morePriority.Rank == priority.Rank)
            {
                batch.Add(more);
                queue.Dequeue();
            }

            foreach (var (at, left, right) in batch)
            {
                var next = word.Next[at];
                if (word.Symbols[at] != left || next >= word.Count || word.Symbols[next] != right)
                    continue;
                word.Symbols[at] = _merges[Key(left, right)].Product;
                word.Symbols[next] = -1;
                word.Next[at] = word.Next[next];
                if (word.Next[at] < word.Count)
                    word.Previous[word.Next[at]] = at;
                if (word.Previous[at] >= 0)
                    Enqueue(word, word.Previous[at]);
                if (word.Next[at] < word.Count)
                    Enqueue(word, at);
            }
        }

        var written = 0;
        for (var i = 0; i < word.Count; i++)
        {
            if (word.Symbols[i] >= 0)
                word.Symbols[written++] = word.Symbols[i];
        }

        word.Truncate(written);
    }

    private void Enqueue(SymbolList word, int at)
    {
        var (left, right) = (word.Symbols[at], word.Symbols[word.Next[at]]);
        if (_merges.TryGetValue(Key(left, right), out var merge))
            word.Queue.Enqueue((at, left, right), (merge.Rank, at));
    }
}
