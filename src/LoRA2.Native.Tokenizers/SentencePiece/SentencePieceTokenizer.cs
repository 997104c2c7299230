using System.Text;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.SentencePiece;

/// <summary>
/// A SentencePiece unigram model: as a tokenizer class of HuggingFace uses it, or, for a model without [CLS] and [SEP] in a folder
/// without configuration, as SentencePiece itself does, where no text is a special token.
/// </summary>
internal sealed class SentencePieceTokenizer : SlowTokenizer
{
    private readonly SentencePieceNormalizer _normalizer;
    private readonly UnigramModel _model;
    private readonly bool _splitByPunctuation;
    private readonly Func<string, int>? _idOfUnknown;
    private readonly AlbertText? _preparation;

    private SentencePieceTokenizer(
        SentencePieceModel file, UnigramModel model, SentencePieceFamily family, SlowVocabulary added, SequenceTemplate template, TokenizerSettings? settings)
        : base(VocabularyOf(file, model, family), added, settings is not null && Lowers(family, settings), template)
    {
        _splitByPunctuation = settings?.SplitByPunct ?? false;
        if (family.PreparesText && settings is not null)
            _preparation = new AlbertText(settings.RemoveSpace ?? true, settings.KeepAccents ?? false, Lowers(family, settings));
        _normalizer = new SentencePieceNormalizer(file);
        _model = model;
        if (added.Tokens.Count > 0)
            _idOfUnknown = text => AddedId(text) ?? model.NumberOf(text) ?? model.UnknownNumber;
        if (family.PreparesText)
            model.Divide(DigitsAndCommas(model));
    }

    /// <summary>Loads a model with what its folder says.</summary>
    /// <exception cref="Files.InputException">The file is damaged, or belongs to a class that is not known.</exception>
    public static SentencePieceTokenizer Load(string path, TokenizerSettings settings)
    {
        var family = SentencePieceFamily.Of(path, settings);
        return Create(SentencePieceModelReader.Read(path), settings, family);
    }

    /// <summary>The tokenizer of a model that was read.</summary>
    public static SentencePieceTokenizer Create(SentencePieceModel file, TokenizerSettings settings)
    {
        return Create(file, settings, SentencePieceFamily.Deberta);
    }

    /// <summary>The tokenizer of a model that was read, as a family's class uses it.</summary>
    public static SentencePieceTokenizer Create(SentencePieceModel file, TokenizerSettings settings, SentencePieceFamily family)
    {
        var model = new UnigramModel(file, family.NumbersOf(file));
        if (family == SentencePieceFamily.Deberta && !settings.HasConfig && (model.IdOf("[CLS]") is null || model.IdOf("[SEP]") is null))
            return Raw(file, model);
        var extra = family.First.Index().ToDictionary(token => token.Item, token => token.Index);
        var added = SlowVocabulary.Resolve(settings, family.Roles, text => extra.TryGetValue(text, out var number) ? number : model.NumberOf(text), file.Pieces.Count + family.Offset);
        string Text(int id) => added.Tokens.First(t => t.Id == id).Content;
        var (cls, sep) = (added.Special.Cls!.Value, added.Special.Sep!.Value);
        var (before, after) = (SequenceTemplate.Part.Token(cls, Text(cls)), SequenceTemplate.Part.Token(sep, Text(sep)));
        return new SentencePieceTokenizer(file, model, family, added, family.HasPairOfSeparators ? SequenceTemplate.Roberta(before, after) : SequenceTemplate.Bert(before, after), settings);
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
        return new SentencePieceTokenizer(file, model, SentencePieceFamily.Deberta, SlowVocabulary.None(special), template, null);
    }

    private static bool Lowers(SentencePieceFamily family, TokenizerSettings settings) => settings.DoLowerCase ?? family.PreparesText;

    private static IEnumerable<(string Text, int Id)> VocabularyOf(SentencePieceModel file, UnigramModel model, SentencePieceFamily family) =>
        file.Pieces.Select((piece, i) => (piece.Text, model.NumberOf(i))).Concat(family.First.Select((token, i) => (token, i))).DistinctBy(token => token.Item1);

    /// <summary>Pieces of digits and a comma, which AlbertTokenizer divides before the comma: "9,", in what SentencePiece makes of "9" and in ",".</summary>
    private Dictionary<int, (int Id, string Text)[]> DigitsAndCommas(UnigramModel model)
    {
        var divided = new Dictionary<int, (int, string)[]>();
        var (sink, scratch) = (new TokenSink(), new Scratch());
        foreach (var (index, piece) in model.Pieces.Index())
        {
            if (piece.Type is not (PieceType.Normal or PieceType.UserDefined) || piece.Text is not [.., var digit, ','] || !char.IsDigit(digit))
                continue;
            sink.Clear();
            sink.Pieces = [];
            EncodeStretch(piece.Text[..^1].Replace("▁", "", StringComparison.Ordinal), null, 0, scratch, sink);
            List<string> parts = [.. sink.Pieces];
            // A file's own normalisation may leave nothing of the digits.
            if (piece.Text[0] != '▁' && parts is [['▁', ..], ..])
            {
                if (parts[0].Length == 1)
                    parts.RemoveAt(0);
                else
                    parts[0] = parts[0][1..];
            }

            parts.Add(",");
            divided[index] = [.. parts.Select(part => (model.NumberOf(part) ?? model.UnknownNumber, part))];
        }

        return divided;
    }

    private protected override void RunPlain(ReadOnlySpan<char> text, Alignment? origins, int start, Scratch scratch, TokenSink sink)
    {
        if (_preparation is not null)
        {
            var prepared = _preparation.Prepare(text, origins, start, scratch, sink.Follows);
            EncodeStretch(prepared.Span, prepared.Origins, 0, scratch, sink);
            return;
        }

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
