using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers;

/// <summary>
/// What HuggingFace's Python ("slow") tokenizers share: added tokens are cut out of the raw text first, and each stretch of text
/// between them is encoded by itself.
/// </summary>
internal abstract class SlowTokenizer : Tokenizer
{
    private readonly AddedTokenTrie _trie;
    private readonly Dictionary<string, AddedToken> _added;
    private readonly AddedTokenTrie? _protected;

    private protected SlowTokenizer(
        IEnumerable<(string Text, int Id)> vocabulary, SlowVocabulary added, bool lowerCase, SequenceTemplate template)
        : base(vocabulary, added.Tokens, added.Special, template)
    {
        Appended = added.Appended;
        _added = added.Tokens.ToDictionary(t => t.Content);
        _trie = new AddedTokenTrie(added.Tokens.Select(t => (t.Content, t)));
        if (lowerCase)
            _protected = new AddedTokenTrie(added.Tokens.Where(t => t.Special || t.Normalized).Select(t => (t.Content, t)));
    }

    /// <summary>The id of an added token, or null.</summary>
    private protected int? AddedId(string text) => _added.TryGetValue(text, out var token) ? token.Id : null;

    /// <summary>Appends the tokens of a text that has no added tokens in it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="origins">Where the characters of the text that it is a stretch of came from; null when they are the user's own.</param>
    /// <param name="start">Where it begins among them.</param>
    /// <param name="scratch">Working memory.</param>
    /// <param name="sink">Takes the tokens.</param>
    private protected abstract void RunPlain(ReadOnlySpan<char> text, Alignment? origins, int start, Scratch scratch, TokenSink sink);

    /// <summary>What is done to the whole text before added tokens are looked for.</summary>
    private protected virtual ReadOnlySpan<char> Prepare(ReadOnlySpan<char> text, CharBuffer buffer) => text;

    private protected override void Run(ReadOnlySpan<char> text, Scratch scratch, TokenSink sink)
    {
        scratch.Prepared.Clear();
        scratch.Prepared.Follow(sink.Follows, null, 0);
        text = Prepare(text, scratch.Prepared);
        if (_protected is not null)
            text = LowerOutsideOfTokens(text, scratch.Prepared);
        var origins = scratch.Prepared.Length > 0 ? scratch.Prepared.Origins : null;
        if (!_trie.Find(text, 0, out _, out _, out _))
        {
            if (!text.IsEmpty)
                RunPlain(text, origins, 0, scratch, sink);
            return;
        }

        var start = 0;
        foreach (var token in Split(text))
        {
            if (token.Length == 0)
                continue;
            // Only white space was taken off between the parts.
            while (!text[start..].StartsWith(token, StringComparison.Ordinal))
                start++;
            if (_added.TryGetValue(token, out var added))
            {
                sink.Reads(origins, start);
                sink.NextWord();
                sink.Add(added.Id, token, 0, token.Length);
            }
            else
            {
                RunPlain(token, origins, start, scratch, sink);
            }

            start += token.Length;
        }
    }

    private ReadOnlySpan<char> LowerOutsideOfTokens(ReadOnlySpan<char> text, CharBuffer buffer)
    {
        buffer.Clear();
        for (var i = 0; i < text.Length;)
        {
            _protected!.Find(text, i, out var start, out var end, out _);
            while (i < start)
            {
                var from = i;
                var c = CodePoint.Next(text, ref i);
                buffer.From(from, i);
                PythonText.AppendLower(buffer, c);
            }

            buffer.Copy(text[start..end], start);
            i = end;
        }

        return buffer.Span;
    }

    private List<string> Split(ReadOnlySpan<char> text)
    {
        var tokens = new List<string>();
        for (var from = 0; from < text.Length;)
        {
            _trie.Find(text, from, out var start, out var end, out _);
            if (start > from)
                tokens.Add(text[from..start].ToString());
            if (end > start)
                tokens.Add(text[start..end].ToString());
            from = end;
        }

        for (var i = 0; i < tokens.Count; i++)
        {
            if (!_added.TryGetValue(tokens[i], out var token))
                continue;
            var left = i > 0 ? tokens[i - 1] : "";
            var right = i + 1 < tokens.Count ? tokens[i + 1] : "";
            if (token.RStrip && right.Length > 0)
                tokens[i + 1] = PythonText.TrimStart(right);
            if (token.LStrip && left.Length > 0)
                tokens[i - 1] = PythonText.TrimEnd(left);
            if (token.SingleWord && left.Length > 0 && left[^1] != ' ')
            {
                tokens[i - 1] += tokens[i];
                tokens[i] = "";
            }
            else if (token.SingleWord && right.Length > 0 && right[0] != ' ')
            {
                tokens[i + 1] = tokens[i] + tokens[i + 1];
                tokens[i] = "";
            }
        }

        return tokens;
    }
}
