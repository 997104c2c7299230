using System.Text;
using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.WordPiece;

/// <summary>BERT's WordPiece (<c>vocab.txt</c>) as HuggingFace's BertTokenizer uses it, and MPNetTokenizer, whose special tokens are RoBERTa's.</summary>
internal sealed class WordPieceTokenizer : SlowTokenizer
{
    private const int MaxChars = 100;
    private static readonly string[] Classes = ["Bert", "DistilBert", "Electra", "MPNet", "ConvBert", "MobileBert"];
    private readonly WordPieceModel _model;
    private readonly BasicTokenizer? _basic;

    private WordPieceTokenizer(
        List<(string, int)> vocabulary, WordPieceModel model, BasicTokenizer? basic, SlowVocabulary added, SequenceTemplate template, bool lower)
        : base(vocabulary, added, lower, template)
    {
        _model = model;
        _basic = basic;
    }

    /// <summary>Loads the file with what its folder says.</summary>
    /// <exception cref="InputException">It is damaged, or belongs to a class that does something else with it.</exception>
    public static WordPieceTokenizer Load(string file, TokenizerSettings settings)
    {
        settings.RequireClass(file, Classes);
        return Create(ReadVocabulary(file), settings);
    }

    /// <summary>
    /// The tokenizer of a vocabulary that was read. Where nothing says <c>do_lower_case</c>, text is lower-cased, unless the vocabulary
    /// has tokens that lower-cased text could never use.
    /// </summary>
    public static WordPieceTokenizer Create(List<(string Token, int Id)> vocabulary, TokenizerSettings settings)
    {
        AddedToken Token(string content) => new(content) { Special = true };
        var defaults = new Dictionary<string, AddedToken>
        {
            ["unk"] = Token("[UNK]"),
            ["sep"] = Token("[SEP]"),
            ["pad"] = Token("[PAD]"),
            ["cls"] = Token("[CLS]"),
            ["mask"] = Token("[MASK]"),
        };
        var isMPNet = settings.TokenizerClass?.StartsWith("MPNet", StringComparison.Ordinal) ?? settings.ModelType == "mpnet";
        if (isMPNet)
        {
            foreach (var (role, content) in new[] { ("bos", "<s>"), ("eos", "</s>"), ("sep", "</s>"), ("pad", "<pad>"), ("cls", "<s>") })
                defaults[role] = Token(content);
            defaults["mask"] = Token("<mask>") with { LStrip = true };
        }

        var ids = vocabulary.ToDictionary(t => t.Token, t => t.Id);
        var added = SlowVocabulary.Resolve(settings, defaults, t => ids.TryGetValue(t, out var id) ? id : null, vocabulary.Count);
        var lower = settings.DoLowerCase
            ?? !vocabulary.Any(t => !(t.Token.StartsWith('[') && t.Token.EndsWith(']')) && PythonText.HasUpper(t.Token));
        string Text(int id) => added.Tokens.First(t => t.Id == id).Content;
        var unknown = added.Special.Unk!.Value;
        var model = new WordPieceModel(vocabulary, "##", Text(unknown), unknown, MaxChars);
        var basic = settings.DoBasicTokenize == false
            ? null
            : new BasicTokenizer(
                settings.TokenizeChineseChars ?? true,
                settings.StripAccents ?? lower,
                added.Tokens.Where(t => t.Special).Select(t => t.Content));
        var (cls, sep) = (added.Special.Cls!.Value, added.Special.Sep!.Value);
        var (first, last) = (SequenceTemplate.Part.Token(cls, Text(cls)), SequenceTemplate.Part.Token(sep, Text(sep)));
        var template = isMPNet ? SequenceTemplate.Roberta(first, last) : SequenceTemplate.Bert(first, last);
        return new WordPieceTokenizer(vocabulary, model, basic, added, template, lower && basic is not null);
    }

    /// <summary>The tokens of <c>vocab.txt</c>, a line each; of a token that is there twice the last line counts.</summary>
    public static List<(string Token, int Id)> ReadVocabulary(string file)
    {
        var lines = TextLines.Read(file);
        var count = lines[^1].Length == 0 ? lines.Length - 1 : lines.Length;
        if (count == 0)
            throw new InputException($"{file}: is empty; expected a token a line.");
        var ids = new Dictionary<string, int>();
        for (var i = 0; i < count; i++)
            ids[lines[i]] = i;
        return [.. ids.Select(t => (t.Key, t.Value))];
    }

    /// <inheritdoc/>
    public override string ContinuationPrefix => "##";

    private protected override void RunPlain(ReadOnlySpan<char> text, Alignment? origins, int start, Scratch scratch, TokenSink sink)
    {
        if (_basic is not null)
        {
            _basic.Split(text, origins, start, _model, scratch, sink);
            return;
        }

        for (int from = 0, i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && !PythonText.IsSpace(text[i]))
                continue;
            if (i > from)
            {
                sink.NextWord();
                sink.Reads(origins, start + from);
                _model.Encode(text[from..i], scratch, sink);
            }

            from = i + 1;
        }
    }

    private protected override string Join(IReadOnlyList<string> tokens)
    {
        var text = new StringBuilder();
        foreach (var token in tokens)
        {
            if (token.StartsWith("##", StringComparison.Ordinal))
                text.Append(token, 2, token.Length - 2);
            else
                text.Append(text.Length > 0 ? " " : "").Append(token);
        }

        return text.ToString();
    }
}
