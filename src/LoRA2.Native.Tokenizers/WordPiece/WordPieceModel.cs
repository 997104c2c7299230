using System.Text;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.WordPiece;

/// <summary>
/// Greedy longest match from the left; what follows the first token is looked up with the continuation prefix (<c>##</c>). A word
/// that cannot be written whole, or is too long, is one unknown token.
/// </summary>
internal sealed class WordPieceModel
{
    private readonly ByteTrie _trie;
    private readonly Dictionary<int, string> _texts = [];
    private readonly int _continuation;
    private readonly int _unknownId;
    private readonly string _unknown;
    private readonly int _maxChars;

    public WordPieceModel(IEnumerable<(string Token, int Id)> vocabulary, string prefix, string unknown, int unknownId, int maxChars)
    {
        var entries = new List<(byte[], int, float)>();
        foreach (var (token, id) in vocabulary)
        {
            _texts[id] = token;
            entries.Add((Encoding.UTF8.GetBytes(token), id, 0f));
        }

        _trie = new ByteTrie(entries);
        _continuation = _trie.Find(Encoding.UTF8.GetBytes(prefix));
        (_unknown, _unknownId, _maxChars) = (unknown, unknownId, maxChars);
    }

    /// <summary>Appends the tokens of a word.</summary>
    public void Encode(ReadOnlySpan<char> word, Scratch scratch, TokenSink sink)
    {
        if (word.IsEmpty)
            return;
        if (word.Length > _maxChars && CodePoint.Count(word) > _maxChars)
        {
            sink.Add(_unknownId, _unknown, 0, word.Length);
            return;
        }

        scratch.Utf8.Clear();
        scratch.Utf8.Append(word);
        var bytes = scratch.Utf8.Span;
        var found = scratch.Nodes;
        found.Clear();
        var ends = scratch.Ends;
        ends.Clear();
        for (var start = 0; start < bytes.Length;)
        {
            var node = start == 0 ? 0 : _continuation;
            var (end, id) = (-1, -1);
            for (var i = start; i < bytes.Length && node >= 0;)
            {
                node = _trie.Next(node, bytes[i]);
                i++;
                if (node >= 0 && _trie.Value(node) is var value and >= 0)
                    (end, id) = (i, value);
            }

            if (end < 0)
            {
                sink.Add(_unknownId, _unknown, 0, word.Length);
                return;
            }

            found.Add(id);
            ends.Add(end);
            start = end;
        }

        var before = 0;
        for (var i = 0; i < found.Count; i++)
        {
            var after = sink.Follows ? Encoding.UTF8.GetCharCount(bytes[..ends[i]]) : 0;
            sink.Add(found[i], sink.Pieces is null ? "" : _texts[found[i]], before, after);
            before = after;
        }
    }
}
