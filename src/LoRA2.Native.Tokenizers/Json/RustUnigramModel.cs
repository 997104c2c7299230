using System.Text;
using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers.SentencePiece;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>
/// The unigram model of a tokenizer.json as the Rust tokenizers encode with it: like SentencePiece, with scores in double precision
/// and every entry of the vocabulary, special or not, open to the text.
/// </summary>
internal sealed class RustUnigramModel : TextModel
{
    private const double UnknownPenalty = 10;
    private readonly ByteTrie _trie;
    private readonly (string Text, double Score)[] _vocabulary;
    private readonly Dictionary<string, int> _ids = [];
    private readonly int[] _byteIds = new int[256];
    private readonly int _unknownId;
    private readonly double _unknownScore;
    private readonly bool _byteFallback;
    private readonly string _where;

    public RustUnigramModel((string Text, double Score)[] vocabulary, int? unknownId, bool byteFallback, string where)
    {
        _vocabulary = vocabulary;
        _where = where;
        for (var i = 0; i < vocabulary.Length; i++)
            _ids[vocabulary[i].Text] = i;
        _trie = new ByteTrie(vocabulary.Select((v, i) => (Encoding.UTF8.GetBytes(v.Text), i, 0f)));
        _unknownId = unknownId ?? -1;
        _unknownScore = vocabulary.Min(v => v.Score) - UnknownPenalty;
        for (var b = 0; b < 256; b++)
            _byteIds[b] = _ids.GetValueOrDefault($"<0x{b:X2}>", -1);
        _byteFallback = byteFallback;
    }

    public override void Encode(ReadOnlySpan<char> word, Scratch scratch, TokenSink sink)
    {
        scratch.Utf8.Clear();
        scratch.Utf8.Append(word);
        var text = scratch.Utf8.Span;
        var lattice = scratch.Lattice;
        Solve(text, lattice);
        var path = lattice.Path;
        for (var i = path.Count - 1; i >= 0; i--)
        {
            var (start, end, id) = path[i];
            if (id != _unknownId)
            {
                sink.Add(id, _vocabulary[id].Text, Chars(text, start, sink), Chars(text, end, sink));
                continue;
            }

            while (i > 0 && path[i - 1].Id == _unknownId)
                end = path[--i].End;
            Unknown(text[start..end], Chars(text, start, sink), Chars(text, end, sink), sink);
        }
    }

    private static int Chars(ReadOnlySpan<byte> text, int bytes, TokenSink sink) => sink.Follows ? Encoding.UTF8.GetCharCount(text[..bytes]) : 0;

    private void Unknown(ReadOnlySpan<byte> text, int start, int end, TokenSink sink)
    {
        var surface = Encoding.UTF8.GetString(text);
        if (_ids.TryGetValue(surface, out var id))
        {
            sink.Add(id, surface, start, end);
            return;
        }

        if (_byteFallback && AllBytes(text))
        {
            foreach (var b in text)
                sink.Add(_byteIds[b], _vocabulary[_byteIds[b]].Text, start, end);
            return;
        }

        sink.Add(_unknownId, surface, start, end);
    }

    private bool AllBytes(ReadOnlySpan<byte> text)
    {
        foreach (var b in text)
        {
            if (_byteIds[b] < 0)
                return false;
        }

        return true;
    }

    private void Solve(ReadOnlySpan<byte> text, Lattice lattice)
    {
        lattice.ResetDouble(text.Length);
        var nodes = lattice.DoubleNodes;
        for (var start = 0; start < text.Length;)
        {
            var here = nodes[start].Score;
            var single = false;
            var length = Math.Min(Utf8.SequenceLength(text[start]), text.Length - start);
            var node = 0;
            for (var end = start; end < text.Length;)
            {
                node = _trie.Next(node, text[end++]);
                if (node < 0)
                    break;
                if (_trie.Value(node) is not (>= 0 and var id))
                    continue;
                Improve(ref nodes[end], _vocabulary[id].Score + here, start, id);
                single |= end - start == length;
            }

            if (!single)
            {
                if (_unknownId < 0)
                    throw new InputException($"{_where}: the text has a character outside of the vocabulary and unk_id is null.");
                Improve(ref nodes[start + length], _unknownScore + here, start, _unknownId);
            }

            start += length;
        }

        for (var end = text.Length; end > 0; end = nodes[end].Start)
            lattice.Path.Add((nodes[end].Start, end, nodes[end].Id));
    }

    private static void Improve(ref Lattice.DoubleNode target, double score, int start, int id)
    {
        if (target.Start < 0 || score > target.Score)
            target = new Lattice.DoubleNode { Score = score, Start = start, Id = id };
    }
}
