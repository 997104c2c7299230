using System.Text;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>
/// A tokenizer.json, encoded as HuggingFace's Rust ("fast") tokenizers do: added tokens are cut out of the raw text, the rest is
/// normalized, normalized added tokens are cut out, and what remains is pre-tokenized and given to the model word by word.
/// </summary>
internal sealed class FastTokenizer : Tokenizer
{
    private readonly Parts _parts;
    private readonly AddedTokenTrie _raw;
    private readonly AddedTokenTrie _normalized;
    private readonly bool _stripsStart;
    private WorkingTexts? _texts;

    public FastTokenizer(Parts parts)
        : base(parts.Vocabulary, parts.Added, parts.Special, parts.Template)
    {
        _parts = parts;
        _stripsStart = parts.Normalizers.Any(n => n.StripsStart);
        _raw = new AddedTokenTrie(parts.Added.Where(t => !t.Normalized).Select(t => (t.Content, t)));
        var texts = new WorkingTexts();
        _normalized = new AddedTokenTrie(
            parts.Added.Where(t => t.Normalized).Select(t => (Normalize(t.Content, 0, false, texts).ToString(), t)).ToList());
    }

    /// <inheritdoc/>
    public override string? ContinuationPrefix => _parts.ContinuationPrefix;

    private protected override bool TruncatesLikePython => false;

    private protected override void Run(ReadOnlySpan<char> text, Scratch scratch, TokenSink sink)
    {
        var texts = Interlocked.Exchange(ref _texts, null) ?? new WorkingTexts();
        text = WithoutLoneSurrogates(text);
        for (var from = 0; from < text.Length;)
        {
            var found = Next(_raw, text, from, out var start, out var end, out var token);
            if (start > from)
                RunStretch(text[from..start], from, texts, scratch, sink);
            if (found)
            {
                sink.Reads(null, 0);
                sink.NextWord();
                sink.Add(token.Id, sink.Pieces is null ? "" : text[start..end].ToString(), start, end);
            }

            from = end;
        }

        _texts = texts;
    }

    private protected override string Join(IReadOnlyList<string> tokens) => _parts.Join(tokens);

    private static ReadOnlySpan<char> WithoutLoneSurrogates(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length;)
        {
            if (!CodePoint.IsSurrogate(CodePoint.Next(text, ref i)))
                continue;
            var clean = new StringBuilder(text.Length);
            for (i = 0; i < text.Length;)
            {
                var start = i;
                if (CodePoint.IsSurrogate(CodePoint.Next(text, ref i)))
                    clean.Append('\uFFFD');
                else
                    clean.Append(text[start..i]);
            }

            return clean.ToString();
        }

        return text;
    }

    /// <summary>The next added token that its flags allow, with the white space that belongs to it.</summary>
    private static bool Next(AddedTokenTrie trie, ReadOnlySpan<char> text, int from, out int start, out int end, out AddedToken token)
    {
        for (var search = from; trie.Find(text, search, out start, out end, out token); search = end)
        {
            if (token.SingleWord && (RustText.EndsWithWord(text[..start]) || RustText.StartsWithWord(text[end..])))
                continue;
            while (token.LStrip && start > from && char.IsWhiteSpace(text[start - 1]))
                start--;
            while (token.RStrip && end < text.Length && char.IsWhiteSpace(text[end]))
                end++;
            return true;
        }

        return false;
    }

    /// <summary>Where the characters came from <see cref="WorkingTexts.Origins"/> then says.</summary>
    private ReadOnlySpan<char> Normalize(ReadOnlySpan<char> text, int start, bool follows, WorkingTexts texts)
    {
        (texts.Origins, texts.Origin) = (null, start);
        foreach (var normalizer in _parts.Normalizers)
        {
            (texts.Current, texts.Other) = (texts.Other, texts.Current);
            texts.Current.Clear();
            texts.Current.Follow(follows, texts.Origins, texts.Origin);
            normalizer.Append(text, texts.Current);
            text = texts.Current.Span;
            if (follows)
                (texts.Origins, texts.Origin) = (texts.Current.Origins, 0);
        }

        return text;
    }

    private void RunStretch(ReadOnlySpan<char> raw, int at, WorkingTexts texts, Scratch scratch, TokenSink sink)
    {
        var atStart = at == 0 && !(_stripsStart && char.IsWhiteSpace(raw[0]));
        var text = Normalize(raw, at, sink.Follows, texts);
        for (var from = 0; from < text.Length;)
        {
            var found = Next(_normalized, text, from, out var start, out var end, out var token);
            if (start > from)
                RunWords(text[from..start], from, atStart && from == 0, texts, scratch, sink);
            if (found)
            {
                sink.Reads(texts.Origins, texts.Origin);
                sink.NextWord();
                sink.Add(token.Id, sink.Pieces is null ? "" : text[start..end].ToString(), start, end);
            }

            from = end;
        }
    }

    private void RunWords(ReadOnlySpan<char> text, int at, bool atStart, WorkingTexts texts, Scratch scratch, TokenSink sink)
    {
        texts.Splits.Clear();
        texts.Splits.Text.Follow(sink.Follows, texts.Origins, texts.Origin + at);
        texts.Splits.Add(text, 0, atStart);
        foreach (var preTokenizer in _parts.PreTokenizers)
        {
            texts.OtherSplits.Clear();
            for (var i = 0; i < texts.Splits.Count; i++)
            {
                texts.OtherSplits.Text.Follow(sink.Follows, texts.Splits.Text.Origins, texts.Splits.StartOf(i));
                preTokenizer.Apply(texts.Splits[i], texts.Splits.AtStart(i), texts.OtherSplits);
            }

            (texts.Splits, texts.OtherSplits) = (texts.OtherSplits, texts.Splits);
        }

        for (var i = 0; i < texts.Splits.Count; i++)
        {
            sink.NextWord();
            sink.Reads(texts.Splits.Text.Origins, texts.Splits.StartOf(i));
            _parts.Model.Encode(texts.Splits[i], scratch, sink);
        }
    }

    private protected override OffsetTrimming? Trimming => _parts.Trimming;

    /// <summary>What a tokenizer.json is made of.</summary>
    internal sealed record Parts(
        IReadOnlyList<(string Text, int Id)> Vocabulary,
        IReadOnlyList<AddedToken> Added,
        SpecialTokens Special,
        SequenceTemplate Template,
        IReadOnlyList<Normalizer> Normalizers,
        IReadOnlyList<PreTokenizer> PreTokenizers,
        TextModel Model,
        Func<IReadOnlyList<string>, string> Join,
        OffsetTrimming? Trimming,
        string? ContinuationPrefix);

    private sealed class WorkingTexts
    {
        public CharBuffer Current { get; set; } = new();

        public CharBuffer Other { get; set; } = new();

        /// <summary>Where the characters of the normalized text came from; null when they are the user's own.</summary>
        public Alignment? Origins { get; set; }

        /// <summary>Where the normalized text begins among them.</summary>
        public int Origin { get; set; }

        public Splits Splits { get; set; } = new();

        public Splits OtherSplits { get; set; } = new();
    }
}
