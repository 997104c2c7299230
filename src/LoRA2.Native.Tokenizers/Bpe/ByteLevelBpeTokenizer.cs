using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Bpe;

/// <summary>RoBERTa's byte-level BPE (<c>vocab.json</c>, <c>merges.txt</c>) as HuggingFace's RobertaTokenizer uses it.</summary>
internal sealed class ByteLevelBpeTokenizer : SlowTokenizer
{
    private static readonly string[] Classes = ["Roberta", "Longformer", "Bart"];
    private readonly BpeModel _model;
    private readonly bool _addPrefixSpace;

    private ByteLevelBpeTokenizer(
        List<(string, int)> vocabulary, BpeModel model, SlowVocabulary added, SequenceTemplate template, bool addPrefixSpace)
        : base(vocabulary, added, lowerCase: false, template)
    {
        _model = model;
        _addPrefixSpace = addPrefixSpace;
    }

    /// <summary>Loads the two files with what their folder says.</summary>
    /// <exception cref="InputException">One is damaged, or they belong to a class that does something else with them.</exception>
    public static ByteLevelBpeTokenizer Load(string vocabFile, string mergesFile, TokenizerSettings settings)
    {
        settings.RequireClass(vocabFile, Classes);
        var vocabulary = BpeFiles.ReadVocabulary(vocabFile);
        var merges = BpeFiles.ReadMerges(mergesFile);
        return Create(vocabulary, merges, settings, rank => $"{mergesFile}, line {rank + 2}");
    }

    /// <summary>The tokenizer of a vocabulary and merges that were read.</summary>
    public static ByteLevelBpeTokenizer Create(
        List<(string Token, int Id)> vocabulary, List<(string Left, string Right)> merges, TokenizerSettings settings, Func<int, string> where)
    {
        AddedToken Token(string content) => new(content) { Special = true, Normalized = true };
        var defaults = new Dictionary<string, AddedToken>
        {
            ["bos"] = Token("<s>"),
            ["eos"] = Token("</s>"),
            ["unk"] = Token("<unk>"),
            ["sep"] = Token("</s>"),
            ["pad"] = Token("<pad>"),
            ["cls"] = Token("<s>"),
            ["mask"] = Token("<mask>") with { LStrip = true, Normalized = false },
        };
        var ids = vocabulary.ToDictionary(t => t.Token, t => t.Id);
        var added = SlowVocabulary.Resolve(settings, defaults, t => ids.TryGetValue(t, out var id) ? id : null, vocabulary.Count);
        var options = new BpeOptions { UnknownId = added.Special.Unk ?? 0, MergesAllAtOnce = true, ProductsMayBeUnknown = true };
        var model = new BpeModel(vocabulary, merges, options, where);
        string Text(int id) => added.Tokens.First(t => t.Id == id).Content;
        var (cls, sep) = (added.Special.Cls!.Value, added.Special.Sep!.Value);
        var template = SequenceTemplate.Roberta(SequenceTemplate.Part.Token(cls, Text(cls)), SequenceTemplate.Part.Token(sep, Text(sep)));
        return new ByteLevelBpeTokenizer(vocabulary, model, added, template, settings.AddPrefixSpace ?? false);
    }

    private protected override ReadOnlySpan<char> Prepare(ReadOnlySpan<char> text, CharBuffer buffer)
    {
        if (!_addPrefixSpace || text.IsEmpty || PythonText.IsSpace(text[0]))
            return text;
        var first = 0;
        CodePoint.Next(text, ref first);
        buffer.From(0, first);
        buffer.Append(' ');
        buffer.Copy(text, 0);
        return buffer.Span;
    }

    private protected override OffsetTrimming Trimming => new(_addPrefixSpace, WordsHaveSpaces: true);

    private protected override void RunPlain(ReadOnlySpan<char> text, Alignment? origins, int start, Scratch scratch, TokenSink sink)
    {
        for (var from = 0; from < text.Length;)
        {
            var end = Gpt2Splitter.WordEnd(text, from);
            sink.NextWord();
            sink.Reads(origins, start + from);
            _model.EncodeBytes(text[from..end], scratch, sink);
            from = end;
        }
    }

    private protected override string Join(IReadOnlyList<string> tokens) => ByteLevelText.Join(tokens);
}
