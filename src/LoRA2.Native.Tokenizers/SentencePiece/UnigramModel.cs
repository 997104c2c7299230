using System.Runtime.CompilerServices;
using System.Text;

namespace LoRA2.Native.Tokenizers.SentencePiece;

/// <summary>
/// The most probable segmentation under a unigram model: one left-to-right pass over UTF-8 that keeps the best path ending at each
/// byte. Scores, their precision and the order of comparisons are SentencePiece's, so that near ties fall as they do there.
/// </summary>
internal sealed class UnigramModel
{
    private const float UnknownPenalty = 10;
    private readonly ByteTrie _trie;
    private readonly Piece[] _pieces;
    private readonly int[] _byteIds = new int[256];
    private readonly string[] _byteTexts = new string[256];
    private readonly float _unknownScore;
    private readonly float _maxScore;
    private readonly bool _byteFallback;
    private readonly bool _hasUserDefined;

    private readonly int[] _numbers;
    private Dictionary<int, (int Id, string Text)[]> _divided = [];

    /// <summary>The model.</summary>
    /// <param name="model">As it was read.</param>
    /// <param name="numbers">The token id of each piece; null where it is its place.</param>
    public UnigramModel(SentencePieceModel model, int[]? numbers = null)
    {
        _numbers = numbers ?? [.. Enumerable.Range(0, model.Pieces.Count)];
        _pieces = [.. model.Pieces];
        _byteFallback = model.ByteFallback;
        var (min, max) = (float.MaxValue, 1.17549435e-38f); // C's FLT_MAX and FLT_MIN, as SentencePiece begins
        var entries = new List<(byte[], int, float)>();
        for (var i = 0; i < _pieces.Length; i++)
        {
            var piece = _pieces[i];
            if (piece.Type == PieceType.Normal)
                (min, max) = (Math.Min(min, piece.Score), Math.Max(max, piece.Score));
            if (piece.Type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused)
                _ids[piece.Text] = i;
            if (piece.Type is PieceType.Normal or PieceType.UserDefined)
                entries.Add((Encoding.UTF8.GetBytes(piece.Text), i, piece.Score));
            if (piece.Type == PieceType.Unknown)
                UnknownId = i;
            _hasUserDefined |= piece.Type == PieceType.UserDefined;
        }

        for (var i = 0; i < _pieces.Length; i++)
        {
            if (_pieces[i].Type is PieceType.Unknown or PieceType.Control or PieceType.Byte)
                _ids[_pieces[i].Text] = i;
        }

        _trie = new ByteTrie(entries);
        _unknownScore = min - UnknownPenalty;
        _maxScore = max;
        for (var b = 0; b < 256; b++)
        {
            _byteTexts[b] = $"<0x{b:X2}>";
            _byteIds[b] = _numbers[_ids.GetValueOrDefault(_byteTexts[b], UnknownId)];
        }
    }

    private readonly Dictionary<string, int> _ids = [];

    public int UnknownId { get; }

    public IReadOnlyList<Piece> Pieces => _pieces;

    /// <summary>The token id of a piece.</summary>
    public int NumberOf(int piece) => _numbers[piece];

    /// <summary>The token id of a piece by its text, or null.</summary>
    public int? NumberOf(string piece) => IdOf(piece) is { } id ? _numbers[id] : null;

    /// <summary>The token id of what is unknown.</summary>
    public int UnknownNumber => _numbers[UnknownId];

    /// <summary>From now on these pieces, by their places, stand for several tokens.</summary>
    public void Divide(Dictionary<int, (int Id, string Text)[]> pieces) => _divided = pieces;

    /// <summary>The place of a piece of any type, or null.</summary>
    public int? IdOf(string piece) => _ids.TryGetValue(piece, out var id) ? id : null;

    /// <summary>
    /// Encodes normalized UTF-8. A run of unknown characters is one token, with the id that <paramref name="idOfUnknown"/> gives for
    /// its text, or is spelled in byte pieces where the model has them.
    /// </summary>
    public void Encode(ReadOnlySpan<byte> text, Lattice lattice, TokenSink sink, Func<string, int>? idOfUnknown)
    {
        Solve(text, lattice);
        var path = lattice.Path;
        for (var i = path.Count - 1; i >= 0; i--)
        {
            var (start, end, id) = path[i];
            if (sink.Follows && (i == path.Count - 1 || text[start..].StartsWith("▁"u8)))
                sink.NextWord();
            if (id != UnknownId)
            {
                if (_divided.Count > 0 && _divided.TryGetValue(id, out var parts))
                    AddParts(parts, start, sink);
                else
                    sink.Add(_numbers[id], _pieces[id].Text, start, end);
            }
            else if (_byteFallback)
            {
                foreach (var b in text[start..end])
                    sink.Add(_byteIds[b], _byteTexts[b], start, end);
            }
            else
            {
                while (i > 0 && path[i - 1].Id == UnknownId)
                    end = path[--i].End;
                var surface = sink.Pieces is not null || idOfUnknown is not null ? Encoding.UTF8.GetString(text[start..end]) : "";
                sink.Add(idOfUnknown?.Invoke(surface) ?? UnknownNumber, surface, start, end);
            }
        }
    }

    private static void AddParts((int Id, string Text)[] parts, int start, TokenSink sink)
    {
        foreach (var (id, text) in parts)
        {
            var end = start + Encoding.UTF8.GetByteCount(text);
            sink.Add(id, text, start, end);
            start = end;
        }
    }

    private void Solve(ReadOnlySpan<byte> text, Lattice lattice)
    {
        lattice.Reset(text.Length);
        var nodes = lattice.Nodes.AsSpan(0, text.Length + 1);
        ref var root = ref _trie.Root;
        for (var start = 0; start < text.Length;)
        {
            var here = nodes[start].Score;
            var single = false;
            var length = Math.Min(Utf8.SequenceLength(text[start]), text.Length - start);
            var node = 0;
            var offset = root.Base;
            for (var end = start; end < text.Length;)
            {
                var label = text[end];
                var child = offset + label;
                ref var unit = ref Unsafe.Add(ref root, child);
                if (unit.Check != node || label == 0)
                    break;
                node = child;
                offset = unit.Base;
                end++;
                if (unit.Value < 0)
                    continue;

                // C++ computes this sum in double, because one arm of its conditional is, and keeps it as float.
                double score = _hasUserDefined && _pieces[unit.Value].Type == PieceType.UserDefined
                    ? (float)(end - start) * _maxScore - 0.1
                    : unit.Score;
                Improve(ref nodes[end], score + here, start, unit.Value);
                single |= end - start == length;
            }

            if (!single)
                Improve(ref nodes[start + length], _unknownScore + here, start, UnknownId);
            start += length;
        }

        for (var end = text.Length; end > 0; end = nodes[end].Start)
            lattice.Path.Add((nodes[end].Start, end, nodes[end].Id));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Improve(ref Lattice.Node target, double score, int start, int id)
    {
        if (target.Start >= 0 && !(score > target.Score))
            return;
        target.Score = (float)score;
        target.Start = start;
        target.Id = id;
    }
}
