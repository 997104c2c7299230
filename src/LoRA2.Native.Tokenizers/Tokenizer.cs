using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers;

/// <summary>
/// Text to token ids, exactly as the HuggingFace tokenizer of the same files. Encoding may run on several threads at once.
/// </summary>
public abstract class Tokenizer
{
    /// <summary>Texts in which settings show: cases, accents, Chinese, spaces, marks, what no vocabulary has.</summary>
    private static readonly string[] Probes =
        ["", "Hello, World! ÜBER Straße naïve café", "  two  spaces\tand\na line ", "don't e-mail me@x.org 3.14 #5", "中文 and 日本語", "İstanbul ΣΊΣΥΦΟΣ", "e\u0301 \u00a0 ﬁ ① \u200d", "🙂\u0378\ue000", "a <mask> [MASK] [CLS] </s> b"];

    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<int, string> _texts;
    private readonly HashSet<int> _specialIds;
    private Scratch? _scratch;

    private protected Tokenizer(
        IEnumerable<(string Text, int Id)> vocabulary, IReadOnlyList<AddedToken> added, SpecialTokens special, SequenceTemplate template)
    {
        (_ids, _texts) = ([], []);
        foreach (var (text, id) in vocabulary)
        {
            _ids[text] = id;
            _texts[id] = text;
        }

        foreach (var token in added)
        {
            _ids[token.Content] = token.Id;
            _texts[token.Id] = token.Content;
        }

        _specialIds = [.. added.Where(t => t.Special).Select(t => t.Id)];
        Special = special;
        Template = template;
        VocabularySize = _texts.Count == 0 ? 0 : _texts.Keys.Max() + 1;
    }

    /// <summary>How many rows an embedding for these ids needs: the largest id plus one, added tokens included.</summary>
    public int VocabularySize { get; }

    /// <summary>How many tokens there are, added ones included; fewer than <see cref="VocabularySize"/> where ids are left out.</summary>
    internal int TokenCount => _texts.Count;

    /// <summary>Special tokens that the files have no id for and that were put behind the vocabulary, as HuggingFace does it.</summary>
    internal IReadOnlyList<(string Role, string Token, int Id)> Appended { get; private protected init; } = [];

    /// <summary>The token that fills up a batch, or null.</summary>
    public int? PadId => Special.Pad;

    /// <summary>The token that begins an input (<c>[CLS]</c>, <c>&lt;s&gt;</c>), or null.</summary>
    public int? ClsId => Special.Cls ?? Special.Bos;

    /// <summary>The token that ends a sequence (<c>[SEP]</c>, <c>&lt;/s&gt;</c>), or null.</summary>
    public int? SepId => Special.Sep ?? Special.Eos;

    /// <summary>The token for what the vocabulary cannot write, or null.</summary>
    public int? UnkId => Special.Unk;

    /// <summary>The masked-language-modelling token, or null.</summary>
    public int? MaskId => Special.Mask;

    /// <summary>What tokens inside of words begin with (<c>##</c>), or null where tokens don't say whether they begin a word.</summary>
    public virtual string? ContinuationPrefix => null;

    /// <summary>The most tokens that the model is meant for, <c>model_max_length</c> of <c>tokenizer_config.json</c>; null where it sets no limit.</summary>
    public int? ModelMaxLength { get; internal set; }

    private protected SpecialTokens Special { get; }

    private protected SequenceTemplate Template { get; }

    /// <summary>Which of two texts loses a token when an odd number is left: the Python tokenizers keep it in the first.</summary>
    private protected virtual bool TruncatesLikePython => true;

    /// <summary>
    /// Loads the tokenizer of a HuggingFace folder: <c>tokenizer.json</c>, as HuggingFace's AutoTokenizer does, else <c>spm.model</c>, else
    /// <c>vocab.json</c> and <c>merges.txt</c>, else <c>vocab.txt</c>; with what <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c>,
    /// <c>added_tokens.json</c> and <c>config.json</c> say, as far as they are there.
    /// </summary>
    /// <exception cref="InputException">No tokenizer file is there, or one is damaged or asks for something unknown.</exception>
    public static Tokenizer FromFolder(string folder) => TokenizerFolder.Load(folder);

    /// <summary>The token ids of a text, not truncated.</summary>
    public int[] Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        Encode(text, ids, addSpecialTokens);
        return [.. ids];
    }

    /// <summary>Appends the token ids of a text to <paramref name="ids"/>, which is all that is allocated once it has warmed up.</summary>
    public void Encode(ReadOnlySpan<char> text, List<int> ids, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var scratch = Rent();
        scratch.First.Clear();
        Run(text, scratch, scratch.First);
        if (!addSpecialTokens)
            ids.AddRange(scratch.First.Ids);
        else
            Fill(Template.Single, scratch.First.Ids, default, ids, null);
        Return(scratch);
    }

    /// <summary>The ids and tokens of a text, not truncated.</summary>
    public TokenizedText EncodeWithTokens(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var scratch = Rent();
        var sink = scratch.First;
        sink.Clear();
        sink.Pieces = [];
        Run(text, scratch, sink);
        var (ids, tokens) = (new List<int>(), new List<string>());
        foreach (var part in addSpecialTokens ? Template.Single : SequenceTemplate.None.Single)
        {
            if (part.Kind == SequenceTemplate.PartKind.Token)
            {
                ids.Add(part.Id);
                tokens.Add(part.Text);
            }
            else
            {
                ids.AddRange(sink.Ids);
                tokens.AddRange(sink.Pieces);
            }
        }

        Return(scratch);
        return new TokenizedText([.. ids], [.. tokens]);
    }

    /// <summary>The tokens of a text without special tokens around it.</summary>
    public string[] Tokenize(string text) => EncodeWithTokens(text, addSpecialTokens: false).Tokens;

    /// <summary>
    /// The input for one text, or for a pair when <paramref name="second"/> is not null, with special tokens; beyond
    /// <paramref name="maxLength"/> tokens the longer of the two texts loses tokens from its end (HuggingFace's <c>longest_first</c>).
    /// </summary>
    public EncodedInput EncodePair(string first, string? second, int maxLength = int.MaxValue)
    {
        var (ids, types) = (new List<int>(), new List<int>());
        EncodePair(first, second, maxLength, ids, types);
        return new EncodedInput([.. ids], [.. types]);
    }

    /// <summary>As <see cref="EncodePair(string, string?, int)"/>, appending to the caller's lists.</summary>
    /// <returns>Whether tokens were lost: the input was longer.</returns>
    public bool EncodePair(string first, string? second, int maxLength, List<int> ids, List<int> typeIds)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentNullException.ThrowIfNull(typeIds);
        ArgumentOutOfRangeException.ThrowIfNegative(maxLength);
        var scratch = Rent();
        var (a, b) = (scratch.First, scratch.Second);
        a.Clear();
        b.Clear();
        Run(first, scratch, a);
        if (second is not null)
            Run(second, scratch, b);
        var room = Math.Max(0, maxLength - Template.Added(second is not null));
        var (keepA, keepB) = Truncation.LongestFirst(a.Count, b.Count, room, TruncatesLikePython);
        Fill(second is null ? Template.Single : Template.Pair, a.Ids[..keepA], b.Ids[..keepB], ids, typeIds);
        var cut = keepA < a.Count || (second is not null && keepB < b.Count);
        Return(scratch);
        return cut;
    }

    /// <summary>
    /// As <see cref="EncodePair(string, string?, int)"/>, with the place of every token in its text: what HuggingFace's fast tokenizers call offsets and word ids, counted in UTF-16.
    /// </summary>
    public PlacedInput EncodePlaced(string first, string? second = null, int maxLength = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentOutOfRangeException.ThrowIfNegative(maxLength);
        var scratch = Rent();
        Follow(first, scratch, scratch.First);
        scratch.Second.Clear();
        if (second is not null)
            Follow(second, scratch, scratch.Second);
        var room = Math.Max(0, maxLength - Template.Added(second is not null));
        var (keepA, keepB) = Truncation.LongestFirst(scratch.First.Count, scratch.Second.Count, room, TruncatesLikePython);
        var placed = Placed(second is null ? Template.Single : Template.Pair, scratch, keepA, keepB);
        Return(scratch);
        return placed;
    }

    /// <summary>
    /// A text that was divided into words already (HuggingFace's <c>is_split_into_words</c>): every token's word is the place of its word in the list, and its characters are
    /// counted in the word.
    /// </summary>
    /// <param name="words">The words; an empty one has no token.</param>
    /// <param name="maxLength">Tokens that the input may have, special ones included; what is beyond is lost.</param>
    public PlacedInput EncodeWords(IReadOnlyList<string> words, int maxLength = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentOutOfRangeException.ThrowIfNegative(maxLength);
        var scratch = Rent();
        var sink = scratch.First;
        sink.Clear();
        sink.Follow();
        scratch.Second.Clear();
        var added = Trimming is { WordsHaveSpaces: true };
        for (var word = 0; word < words.Count; word++)
        {
            var (first, spaced) = (sink.Count, added && words[word].Length > 0 && words[word][0] != ' ');
            Run(spaced ? " " + words[word] : words[word], scratch, sink);
            for (var i = first; i < sink.Count; i++)
            {
                var (start, end, _) = sink.Places[i];
                if (Trimming is { } trimming)
                    (start, end) = (spaced ? trimming with { HasPrefixSpace = false } : trimming).Trim(sink.Pieces![i], i - first, start, end);
                sink.Places[i] = spaced ? (Math.Max(0, start - 1), Math.Max(0, end - 1), word) : (start, end, word);
            }
        }

        var keep = Math.Min(sink.Count, Math.Max(0, maxLength - Template.Added(pair: false)));
        var placed = Placed(Template.Single, scratch, keep, 0);
        Return(scratch);
        return placed;
    }

    /// <summary>Whether there is a token with this id.</summary>
    internal bool HasToken(int id) => _texts.ContainsKey(id);

    /// <summary>The token with this id.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public string IdToToken(int id) => _texts.TryGetValue(id, out var text)
        ? text
        : throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary has no such id; expected one below {VocabularySize}.");

    /// <summary>The id of a token, or null.</summary>
    public int? TokenToId(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return _ids.TryGetValue(token, out var id) ? id : null;
    }

    /// <summary>The text of tokens, as near as the tokenizer allows: normalization and unknown characters are not undone.</summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true)
    {
        var tokens = new List<string>(ids.Length);
        foreach (var id in ids)
        {
            if (!skipSpecialTokens || !_specialIds.Contains(id))
                tokens.Add(IdToToken(id));
        }

        return Join(tokens);
    }

    /// <summary>A text with this token and another, and for some of them other forms of it: upper case, an accent, between Chinese.</summary>
    private static IEnumerable<string> Variants(string token, string other, int index)
    {
        yield return token + (index % 2 == 0 ? " " : "") + other;
        if (index % 16 != 0 && index > 1024)
            yield break;
        yield return token.ToUpperInvariant();
        yield return token.Length > 0 && char.IsAsciiLetter(token[0]) ? $"{token[0]}\u0301{token[1..]}" : token;
        yield return $"中{token}文";
    }

    /// <summary>
    /// Tells it from another tokenizer that makes other tokens, whatever files it comes from: SHA-256 of its tokens with their ids, and of the ids that it makes of every text that was tried: its tokens, alone and two together, and
    /// texts of many scripts.
    /// </summary>
    internal string Behaviour()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string[] tokens = [.. _texts.OrderBy(token => token.Key).Select(token => token.Value)];
        foreach (var (id, text) in _texts.OrderBy(token => token.Key))
            hash.AppendData(Encoding.UTF8.GetBytes($"{id} {text}\n"));
        // A merge or a score that differs shows in the token that it makes; the largest vocabularies have four times as many as are tried.
        var step = 1 + tokens.Length / 65536;
        var tried = Probes.Concat(Enumerable.Range(0, tokens.Length / step).SelectMany(i => Variants(tokens[i * step], tokens[i * step / 2], i)));
        var (ids, types) = (new List<int>(), new List<int>());
        foreach (var text in tried)
        {
            Encode(text, ids);
            // No id is −1: it says where a text ends.
            ids.Add(-1);
            if (ids.Count < 4096)
                continue;
            Append();
        }

        EncodePair("one", "two three", int.MaxValue, ids, types);
        ids.AddRange(types);
        Append();
        return Convert.ToHexString(hash.GetHashAndReset())[..32];

        void Append()
        {
            hash.AppendData(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(ids)));
            ids.Clear();
        }
    }

    /// <summary>Appends the tokens of a text to <paramref name="sink"/>, without special tokens around it.</summary>
    private protected abstract void Run(ReadOnlySpan<char> text, Scratch scratch, TokenSink sink);

    /// <summary>The text that tokens stand for.</summary>
    private protected abstract string Join(IReadOnlyList<string> tokens);

    private static void Fill(
        SequenceTemplate.Part[] template, ReadOnlySpan<int> first, ReadOnlySpan<int> second, List<int> ids, List<int>? types)
    {
        foreach (var part in template)
        {
            var before = ids.Count;
            if (part.Kind == SequenceTemplate.PartKind.Token)
                ids.Add(part.Id);
            else
                ids.AddRange(part.Kind == SequenceTemplate.PartKind.First ? first : second);
            for (var i = before; types is not null && i < ids.Count; i++)
                types.Add(part.TypeId);
        }
    }

    /// <summary>Whether spaces are taken off tokens' places, or null.</summary>
    private protected virtual OffsetTrimming? Trimming => null;

    private void Follow(string text, Scratch scratch, TokenSink sink)
    {
        sink.Clear();
        sink.Follow();
        Run(text, scratch, sink);
        for (var i = 0; Trimming is { } trimming && i < sink.Count; i++)
        {
            var (start, end, word) = sink.Places[i];
            (start, end) = trimming.Trim(sink.Pieces![i], i, start, end);
            sink.Places[i] = (start, end, word);
        }
    }

    private static PlacedInput Placed(SequenceTemplate.Part[] template, Scratch scratch, int keepFirst, int keepSecond)
    {
        var (ids, types, tokens, places) = (new List<int>(), new List<int>(), new List<string>(), new List<TokenPlace>());
        foreach (var part in template)
        {
            if (part.Kind == SequenceTemplate.PartKind.Token)
            {
                ids.Add(part.Id);
                tokens.Add(part.Text);
                places.Add(TokenPlace.Special);
            }
            else
            {
                var isFirst = part.Kind == SequenceTemplate.PartKind.First;
                var (sink, keep) = isFirst ? (scratch.First, keepFirst) : (scratch.Second, keepSecond);
                for (var i = 0; i < keep; i++)
                {
                    ids.Add(sink.Ids[i]);
                    tokens.Add(sink.Pieces![i]);
                    places.Add(new TokenPlace(sink.Places[i].Start, sink.Places[i].End, sink.Places[i].Word, isFirst ? 0 : 1));
                }
            }

            while (types.Count < ids.Count)
                types.Add(part.TypeId);
        }

        return new PlacedInput([.. ids], [.. types], [.. tokens], [.. places], keepFirst < scratch.First.Count || keepSecond < scratch.Second.Count);
    }

    private Scratch Rent() => Interlocked.Exchange(ref _scratch, null) ?? new Scratch();

    private void Return(Scratch scratch) => _scratch = scratch;
}
