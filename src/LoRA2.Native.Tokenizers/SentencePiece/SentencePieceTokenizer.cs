using System.Text;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.SentencePiece;

/// <summary>
/// A SentencePiece unigram model: as HuggingFace's DebertaV2Tokenizer uses it, or, for a model without [CLS] and [SEP] in a folder
/// without configuration, as SentencePiece itself does, where no text is a special token.
/// </summary>
internal sealed class SentencePieceTokenizer : SlowTokenizer
{
    private readonly SentencePieceNormalizer _normalizer;
    private readonly UnigramModel _model;
    private readonly bool _splitByPunctuation;
    private readonly Func<string, int>? _idOfUnknown;

    private SentencePieceTokenizer(
        SentencePieceModel file, UnigramModel model, SlowVocabulary added, SequenceTemplate template, bool lowerCase, bool splitByPunct)
        : base(file.Pieces.Select((p, i) => (p.Text, i)), added, lowerCase, template)
    {
        _normalizer = new SentencePieceNormalizer(file);
        _model = model;
        _splitByPunctuation = splitByPunct;
        if (added.Tokens.Count > 0)
            _idOfUnknown = text => AddedId(text) ?? model.IdOf(text) ?? model.UnknownId;
    }

    /// <summary>Loads a model with what its folder says.</summary>
    public static SentencePieceTokenizer Load(string path, TokenizerSettings settings) => Create(SentencePieceModelReader.Read(path), settings);

    /// <summary>The tokenizer of a model that was read.</summary>
    public static SentencePieceTokenizer Create(SentencePieceModel file, TokenizerSettings settings)
    {
        var model = new UnigramModel(file);
        if (!settings.HasConfig && (model.IdOf("[CLS]") is null || model.IdOf("[SEP]") is null))
            return Raw(file, model);
        AddedToken Token(string content, bool normalized = false) => new(content) { Special = true, Normalized = normalized };
        var defaults = new Dictionary<string, AddedToken>
        {
            ["bos"] = Token("[CLS]"),
            ["eos"] = Token("[SEP]"),
            ["unk"] = Token("[UNK]", true),
            ["sep"] = Token("[SEP]"),
            ["pad"] = Token("[PAD]"),
            ["cls"] = Token("[CLS]"),
            ["mask"] = Token("[MASK]"),
        };
        var added = SlowVocabulary.Resolve(settings, defaults, model.IdOf, file.Pieces.Count);
        string Text(int id) => added.Tokens.First(t => t.Id == id).Content;
        var (cls, sep) = (added.Special.Cls!.Value, added.Special.Sep!.Value);
        var template = SequenceTemplate.Bert(SequenceTemplate.Part.Token(cls, Text(cls)), SequenceTemplate.Part.Token(sep, Text(sep)));
        return new SentencePieceTokenizer(
            file, model, added, template, settings.DoLowerCase ?? false, settings.SplitByPunct ?? false);
    }

    /// <summary>SentencePiece itself: nothing in the text is a special token.</summary>
    public static SentencePieceTokenizer Raw(SentencePieceModel file) => Raw(file, new UnigramModel(file));

    private static SentencePieceTokenizer Raw(SentencePieceModel file, UnigramModel model)
    {
        int? Control(string piece) => model.IdOf(piece) is { } id && model.Pieces[id].Type == PieceType.Control ? id : null;
        var (bos, eos) = (Control(file.BosPiece), Control(file.EosPiece));
        var special = new SpecialTokens { Bos = bos, Eos = eos, Unk = model.UnknownId, Pad = Control(file.PadPiece) };
        var template = bos is { } b && eos is { } e
            ? SequenceTemplate.Bert(SequenceTemplate.Part.Token(b, file.BosPiece), SequenceTemplate.Part.Token(e, file.EosPiece))
            : SequenceTemplate.None;
        return new SentencePieceTokenizer(file, model, SlowVocabulary.None(special), template, false, false);
    }

    private protected override void RunPlain(ReadOnlySpan<char> text, Alignment? origins, int start, Scratch scratch, TokenSink sink)
    {
        if (!_splitByPunctuation)
        {
            EncodeStretch(text, origins, start, scratch, sink);
            return;
        }

        var from = 0;
        for (var i = 0; i < text.Length;)
        {
            var at = i;
            if (!Punctuation.IsPython(CodePoint.Next(text, ref i)))
                continue;
            EncodeStretch(text[from..at], origins, start + from, scratch, sink);
            EncodeStretch(text[at..i], origins, start + at, scratch, sink);
            from = i;
        }

        EncodeStretch(text[from..], origins, start + from, scratch, sink);
    }

    private protected override string Join(IReadOnlyList<string> tokens)
    {
        var bytes = new ByteBuffer();
        foreach (var token in tokens)
        {
            if (token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal)
                && _model.IdOf(token) is { } id && _model.Pieces[id].Type == PieceType.Byte)
                bytes.Append(Convert.FromHexString(token.AsSpan(3, 2))[0]);
            else
                bytes.Append(token.Replace('▁', ' '));
        }

        var text = Encoding.UTF8.GetString(bytes.Span);
        return text.StartsWith(' ') ? text[1..] : text;
    }

    private void EncodeStretch(ReadOnlySpan<char> text, Alignment? origins, int start, Scratch scratch, TokenSink sink)
    {
        if (text.IsEmpty)
            return;
        scratch.Utf8.Clear();
        scratch.Utf8.Append(text);
        scratch.NormalizedUtf8.Clear();
        var places = sink.Follows ? new NormalizedPlaces(text, origins, start) : null;
        _normalizer.Normalize(scratch.Utf8.Span, scratch.NormalizedUtf8, places);
        sink.Reads(places?.Places, 0);
        _model.Encode(scratch.NormalizedUtf8.Span, scratch.Lattice, sink, _idOfUnknown);
    }
}
