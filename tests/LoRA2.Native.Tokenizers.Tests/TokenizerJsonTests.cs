using System.Text.Json;
using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Tokenizers.Tests;

public class TokenizerJsonTests
{
    private const string ByteLevel = "{\"type\": \"ByteLevel\", \"add_prefix_space\": false}";
    private const string Metaspace = "{\"type\": \"Metaspace\", \"replacement\": \"▁\", \"prepend_scheme\": \"always\"}";

    [Fact]
    public void WordPieceIsBerts()
    {
        var tokenizer = Load(Bert());
        Assert.Equal(["the", "fox", "jump", "##s", "!", "cafe", "[MASK]", "[UNK]"], tokenizer.Tokenize("The FOX jumps! Café [MASK] zz"));
        var pair = tokenizer.EncodePair("the", "fox");
        Assert.Equal([2, 5, 3, 6, 3], pair.Ids);
        Assert.Equal([0, 0, 0, 1, 1], pair.TypeIds);
        Assert.Equal((0, 1, 2, 3, 4), (tokenizer.PadId, tokenizer.UnkId, tokenizer.ClsId, tokenizer.SepId, tokenizer.MaskId));
    }

    [Theory]
    [InlineData("[\"t h\", \"Ġ th\", \"Ġth e\"]")]
    [InlineData("[[\"t\", \"h\"], [\"Ġ\", \"th\"], [\"Ġth\", \"e\"]]")]
    public void BytePairMergesAreStringsOrPairs(string merges)
    {
        var tokenizer = Load(Json($"{{\"type\": \"BPE\", \"vocab\": {BpeVocabulary()}, \"merges\": {merges}}}", "null", ByteLevel));
        Assert.Equal(["a", "Ġthe", "Ġth", "x"], tokenizer.Tokenize("a the thx"));
        Assert.Equal("a the thx", tokenizer.Decode(tokenizer.Encode("a the thx")));
    }

    [Fact]
    public void UnigramFusesUnknowns()
    {
        const string Model = "{\"type\": \"Unigram\", \"unk_id\": 0, \"vocab\": [[\"<unk>\", 0], [\"▁the\", -2], [\"▁\", -3], [\"fox\", -4.5], [\"x\", -6]]}";
        var tokenizer = Load(Json(Model, "null", Metaspace));
        Assert.Equal(["▁the", "▁", "fox", "zz", "x"], tokenizer.Tokenize("the foxzzx"));
        Assert.Equal([1, 2, 3, 0, 4], tokenizer.Encode("the foxzzx"));
    }

    [Theory]
    [InlineData("{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": true}", "  a b ", "▁a ▁b")]
    [InlineData("{\"type\": \"Lowercase\"}", "A", "▁a")]
    [InlineData("{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFD\"}, {\"type\": \"StripAccents\"}]}", "á", "▁a")]
    [InlineData("{\"type\": \"NFKC\"}", "ａ", "▁a")]
    [InlineData("{\"type\": \"Replace\", \"pattern\": {\"Regex\": \" {2,}\"}, \"content\": \" \"}", "a   b", "▁a ▁b")]
    [InlineData("{\"type\": \"Replace\", \"pattern\": {\"String\": \".\"}, \"content\": \"b\"}", "a.", "▁ab")]
    [InlineData("{\"type\": \"Prepend\", \"prepend\": \"b\"}", "a", "▁ba")]
    public void NormalizersChangeTheText(string normalizer, string text, string tokens) =>
        Assert.Equal(tokens.Split(' '), Load(Letters(normalizer, Metaspace)).Tokenize(text));

    [Theory]
    [InlineData("{\"type\": \"Whitespace\"}", "ab, b!", "ab , b !")]
    [InlineData("{\"type\": \"WhitespaceSplit\"}", "ab, b!", "ab, b!")]
    [InlineData("{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"WhitespaceSplit\"}, {\"type\": \"Punctuation\"}]}", "ab, b!", "ab , b !")]
    [InlineData("{\"type\": \"Digits\", \"individual_digits\": true}", "a11b", "a 1 1 b")]
    [InlineData("{\"type\": \"Digits\", \"individual_digits\": false}", "a11b", "a 11 b")]
    [InlineData("{\"type\": \"Split\", \"pattern\": {\"String\": \"1\"}, \"behavior\": \"Removed\"}", "a1b", "a b")]
    [InlineData("{\"type\": \"Split\", \"pattern\": {\"String\": \"1\"}, \"behavior\": \"MergedWithPrevious\"}", "a11b", "a1 1 b")]
    [InlineData("{\"type\": \"Split\", \"pattern\": {\"String\": \"1\"}, \"behavior\": \"MergedWithNext\"}", "a11b", "a 1 1b")]
    [InlineData("{\"type\": \"Split\", \"pattern\": {\"String\": \"1\"}, \"behavior\": \"Contiguous\"}", "a11b", "a 11 b")]
    [InlineData("{\"type\": \"Metaspace\", \"replacement\": \"▁\", \"prepend_scheme\": \"never\"}", "a  b", "a ▁ ▁b")]
    [InlineData("{\"type\": \"Metaspace\", \"replacement\": \"▁\", \"add_prefix_space\": true}", " a", "▁a")]
    public void PreTokenizersSplitTheText(string preTokenizer, string text, string tokens) =>
        Assert.Equal(tokens.Split(' '), Load(Letters("null", preTokenizer)).Tokenize(text));

    [Fact]
    public void AddedTokensFollowTheirFlags()
    {
        const string Added = """
            [{"id": 100, "content": "<x>", "lstrip": true, "rstrip": true, "normalized": false, "special": true, "single_word": false},
             {"id": 101, "content": "AB", "single_word": true, "lstrip": false, "rstrip": false, "normalized": true, "special": false}]
            """;
        var tokenizer = Load(Letters("{\"type\": \"Lowercase\"}", "{\"type\": \"WhitespaceSplit\"}", Added));
        Assert.Equal(["a", " <x> ", "b"], tokenizer.Tokenize("a <x> b"));
        Assert.Equal(101, tokenizer.Encode("a ab b")[1]);
        Assert.DoesNotContain(101, tokenizer.Encode("aab"));
    }

    [Theory]
    [InlineData("{\"model\": {\"type\": \"WordLevel\", \"vocab\": {}}}", "model.type: is 'WordLevel', which is not supported; expected Unigram, BPE or WordPiece.")]
    [InlineData("{}", "model: is missing; expected a JSON object.")]
    [InlineData("{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\"]]}}", "model.vocab[0]: is a JSON array; expected an array of a piece and its score.")]
    [InlineData("{\"model\": {\"type\": \"Unigram\", \"unk_id\": 3, \"vocab\": [[\"a\", 1]]}}", "model.unk_id: is 3; expected an id below 1.")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"a b\"]}}", "model.merges[0]: 'b' of the merge 'a b' is not in the vocabulary.")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"a\"]}}", "model.merges[0]: is 'a'; expected two symbols with a space between.")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"dropout\": 0.1, \"vocab\": {\"a\": 0}, \"merges\": []}}", "model.dropout: is 0.1, which makes ids random; expected null or 0.")]
    [InlineData("{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 0}}}", "model.unk_token: '[UNK]' is not in the vocabulary.")]
    public void BadFilesAreNamed(string json, string message) => Fails(json, message);

    [Theory]
    [InlineData("{\"type\": \"Nmt\"}", "null", "null", "normalizer.type: is 'Nmt', which is not supported")]
    [InlineData("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"?\"}", "null", "null", "normalizer.precompiled_charsmap: is not base64.")]
    [InlineData("{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"(a)\"}, \"content\": \"\"}", "null", "null", "normalizer.pattern: the regular expression '(a)'")]
    [InlineData("null", "{\"type\": \"UnicodeScripts\"}", "null", "pre_tokenizer.type: is 'UnicodeScripts', which is not supported")]
    [InlineData("null", "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"x*\"}}", "null", "pre_tokenizer.pattern: the regular expression 'x*'")]
    [InlineData("null", "null", "{\"type\": \"Other\"}", "post_processor.type: is 'Other', which is not supported")]
    [InlineData("null", "null", "{\"type\": \"BertProcessing\", \"cls\": [\"[CLS]\"]}", "post_processor.cls: has 1 members; expected a token and its id.")]
    [InlineData("null", "null", "{\"type\": \"BertProcessing\", \"cls\": [\"a\", 0], \"sep\": [\"[SEP]\", 9000]}", "post_processor: \"[SEP]\" has the id 9000, which no token of the vocabulary has.")]
    public void UnknownPartsAreNamed(string normalizer, string preTokenizer, string postProcessor, string message) =>
        Fails(Letters(normalizer, preTokenizer, "[]", postProcessor), message);

    [Fact]
    public void AFolderWithoutATokenizerSaysWhatWasLookedFor()
    {
        using var folder = TinyModels.Folder(("vocab.json", "{\"a\": 0}"));
        Assert.Equal(
            $"{folder.Path}: has no tokenizer (vocab.json is there, merges.txt is not); expected tokenizer.json, spm.model, sentencepiece.bpe.model, spiece.model, "
            + "vocab.json and merges.txt, or vocab.txt.",
            Assert.Throws<InputException>(() => Tokenizer.FromFolder(folder.Path)).Message);
        Assert.Throws<InputException>(() => Tokenizer.FromFolder(folder.Path + "/none"));
    }

    [Fact]
    public void TokenizerJsonComesFirstAsForHuggingFace()
    {
        using var folder = TinyModels.Folder(("tokenizer.json", Bert()), ("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nfox\nthe\n"));
        Assert.Equal([5, 6], Tokenizer.FromFolder(folder.Path).Encode("the fox", addSpecialTokens: false));
    }

    [Theory]
    [InlineData("{\"tokenizer_class\": \"T5Tokenizer\"}", "belongs to tokenizer_class T5Tokenizer; expected XLMRobertaTokenizer, CamembertTokenizer, AlbertTokenizer or DebertaV2Tokenizer, or a tokenizer.json")]
    [InlineData("{\"model_max_length\": \"many\"}", "model_max_length: is a JSON string")]
    [InlineData("{\"model_max_length\": 0}", "model_max_length: is a JSON number 0; expected a number of at least 1")]
    public void TheTokenizersClassDecidesWhatASentencePieceFileIs(string config, string sentence)
    {
        using var folder = TinyModels.Folder(("spm.model", ""), ("tokenizer_config.json", config));
        Assert.Contains(sentence, Assert.Throws<InputException>(() => Tokenizer.FromFolder(folder.Path)).Message, StringComparison.Ordinal);
    }

    private const string Words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nfox\nthe\n<s>\n<pad>\n</s>\n<mask>\n";

    /// <summary>Of a vocabulary the class decides what is done to a text before; where HuggingFace has tokenizer.json it follows that.</summary>
    [Theory]
    [InlineData("vocab.txt", "{\"tokenizer_class\": \"BertJapaneseTokenizer\", \"word_tokenizer_type\": \"mecab\", \"subword_tokenizer_type\": \"wordpiece\"}", "BertJapaneseTokenizer")]
    [InlineData("vocab.txt", "{\"tokenizer_class\": \"FooTokenizer\"}", "FooTokenizer")]
    [InlineData("vocab.txt", "{\"tokenizer_class\": \"RobertaTokenizer\"}", "RobertaTokenizer")]
    [InlineData("vocab.json", "{\"tokenizer_class\": \"BertTokenizer\"}", "BertTokenizer")]
    [InlineData("vocab.json", "{\"tokenizer_class\": \"GPT2TokenizerFast\"}", "GPT2TokenizerFast")]
    public void AVocabularyOfAnotherClassIsRefused(string file, string config, string name)
    {
        var expected = file == "vocab.txt" ? "BertTokenizer, DistilBertTokenizer, ElectraTokenizer, MPNetTokenizer, ConvBertTokenizer or MobileBertTokenizer" : "RobertaTokenizer, LongformerTokenizer or BartTokenizer";
        // What tokenizer_config.json does not say, config.json may.
        foreach (var says in new[] { "tokenizer_config.json", "config.json" })
        {
            using var folder = TinyModels.Folder((file, file == "vocab.txt" ? Words : "{\"<s>\": 0, \"<pad>\": 1, \"</s>\": 2, \"<unk>\": 3, \"<mask>\": 4, \"a\": 5}"), ("merges.txt", "#version: 0.2\n"), (says, config));
            Assert.StartsWith(
                $"{Path.Combine(folder.Path, file)}: belongs to tokenizer_class {name}; expected {expected}, or a tokenizer.json beside it",
                Assert.Throws<InputException>(() => Tokenizer.FromFolder(folder.Path)).Message, StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(folder.Path, "tokenizer.json"), Bert());
            Assert.Equal([5, 6], Tokenizer.FromFolder(folder.Path).Encode("the fox", addSpecialTokens: false));
        }
    }

    [Theory]
    [InlineData("vocab.txt", "null BertTokenizer BertTokenizerFast DistilBertTokenizer DistilBertTokenizerFast ElectraTokenizer ElectraTokenizerFast ConvBertTokenizer MobileBertTokenizerFast PreTrainedTokenizerFast")]
    [InlineData("vocab.json", "null RobertaTokenizer RobertaTokenizerFast LongformerTokenizer BartTokenizerFast PreTrainedTokenizerFast")]
    public void AVocabularyOfItsOwnClassesIsRead(string file, string classes)
    {
        foreach (var name in classes.Split(' '))
        {
            using var folder = TinyModels.Folder(
                (file, file == "vocab.txt" ? Words : "{\"<s>\": 0, \"<pad>\": 1, \"</s>\": 2, \"<unk>\": 3, \"<mask>\": 4, \"a\": 5}"), ("merges.txt", "#version: 0.2\n"),
                ("tokenizer_config.json", name == "null" ? "{\"tokenizer_class\": null}" : $"{{\"tokenizer_class\": \"{name}\"}}"));
            Assert.Equal(file == "vocab.txt" ? [2, 6, 5, 3] : [0, 5, 2], Tokenizer.FromFolder(folder.Path).Encode(file == "vocab.txt" ? "the fox" : "a"));
        }
    }

    /// <summary>As MPNetTokenizer's documentation has it: RoBERTa's special tokens around WordPiece.</summary>
    [Theory]
    [InlineData("tokenizer_config.json", "{\"tokenizer_class\": \"MPNetTokenizer\"}")]
    [InlineData("tokenizer_config.json", "{\"tokenizer_class\": \"MPNetTokenizerFast\"}")]
    [InlineData("config.json", "{\"model_type\": \"mpnet\"}")]
    public void MPNetsSpecialTokensAreRobertas(string file, string config)
    {
        using var folder = TinyModels.Folder(("vocab.txt", Words), (file, config));
        var input = Tokenizer.FromFolder(folder.Path).EncodePair("the", "fox <mask>");
        Assert.Equal([7, 6, 9, 9, 5, 10, 9], input.Ids);
        Assert.All(input.TypeIds, type => Assert.Equal(0, type));
    }

    /// <summary>Texts are cut on the right alone.</summary>
    [Theory]
    [InlineData("vocab.txt", "{\"truncation_side\": \"left\"}", "null", "tokenizer_config.json.truncation_side: is \"left\", which is not supported; expected \"right\".")]
    [InlineData("tokenizer.json", "{\"truncation_side\": \"left\"}", "null", "tokenizer_config.json.truncation_side: is \"left\", which is not supported; expected \"right\".")]
    [InlineData("tokenizer.json", "{}", "{\"direction\": \"Left\", \"max_length\": 4}", "tokenizer.json: truncation.direction: is \"Left\", which is not supported; expected \"Right\".")]
    [InlineData("tokenizer.json", "{}", "{\"direction\": \"Right\", \"max_length\": 4}", null)]
    [InlineData("tokenizer.json", "{\"truncation_side\": \"right\"}", "{\"direction\": \"Left\"}", null)]
    [InlineData("vocab.txt", "{\"truncation_side\": \"right\"}", "null", null)]
    [InlineData("vocab.txt", "{\"truncation_side\": null}", "null", null)]
    public void CutsOnTheLeftAreRefused(string file, string config, string truncation, string? sentence)
    {
        using var folder = TinyModels.Folder((file, file == "vocab.txt" ? Words : Bert().Replace("\"truncation\": {\"max_length\": 3}", $"\"truncation\": {truncation}", StringComparison.Ordinal)), ("tokenizer_config.json", config));
        if (sentence is null)
            Assert.NotEmpty(Tokenizer.FromFolder(folder.Path).Encode("the fox"));
        else
            Assert.EndsWith(sentence, Assert.Throws<InputException>(() => Tokenizer.FromFolder(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"model_max_length\": 512}", 512)]
    [InlineData("{\"model_max_length\": 1000000000000000019884624838656}", null)]
    [InlineData("{\"model_max_length\": null}", null)]
    [InlineData("{}", null)]
    public void TheModelsLimitIsReadAndACutIsTold(string config, int? limit)
    {
        using var folder = TinyModels.Folder(("tokenizer.json", Bert()), ("tokenizer_config.json", config));
        var tokenizer = Tokenizer.FromFolder(folder.Path);
        Assert.Equal(limit, tokenizer.ModelMaxLength);
        Assert.False(tokenizer.EncodePair("the fox", null, 4, [], []));
        Assert.True(tokenizer.EncodePair("the fox", null, 3, [], []));
        Assert.True(tokenizer.EncodePair("the", "fox jumps", 6, [], []));
        Assert.False(tokenizer.EncodePair("the", "fox jumps", 7, [], []));
    }

    /// <summary>A BERT tokenizer.json over the small vocabulary.</summary>
    internal static string Bert()
    {
        var vocabulary = JsonSerializer.Serialize(TinyModels.Words.Select((w, i) => (w, i)).ToDictionary(p => p.w, p => p.i));
        var added = string.Join(", ", Enumerable.Range(0, 5).Select(i =>
            $"{{\"id\": {i}, \"content\": \"{TinyModels.Words[i]}\", \"special\": true, \"normalized\": false}}"));
        return Json(
            $"{{\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", \"vocab\": {vocabulary}}}",
            "{\"type\": \"BertNormalizer\", \"lowercase\": true}",
            "{\"type\": \"BertPreTokenizer\"}",
            $"[{added}]",
            """
            {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
             "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
                      {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
             "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}}
            """);
    }

    private static string Json(string model, string normalizer, string preTokenizer, string added = "[]", string postProcessor = "null") =>
        $"{{\"version\": \"1.0\", \"added_tokens\": {added}, \"normalizer\": {normalizer}, \"pre_tokenizer\": {preTokenizer}, "
        + $"\"post_processor\": {postProcessor}, \"truncation\": {{\"max_length\": 3}}, \"model\": {model}}}";

    /// <summary>A unigram model of which every token is a word of its own, so that tokens show how the text was split.</summary>
    private static string Letters(string normalizer, string preTokenizer, string added = "[]", string postProcessor = "null")
    {
        string[] tokens = ["<unk>", "a", "b", "ab", "ba", "▁a", "▁b", "▁ab", "▁ba", "▁", "ab,", ",", "b!", "!", "1", "11", "a1", "1b"];
        var vocabulary = string.Join(", ", tokens.Select(t => $"[\"{t}\", {-1.0 / t.Length}]"));
        return Json($"{{\"type\": \"Unigram\", \"unk_id\": 0, \"vocab\": [{vocabulary}]}}", normalizer, preTokenizer, added, postProcessor);
    }

    private static string BpeVocabulary() => JsonSerializer.Serialize(TinyModels.Bpe().Vocabulary.ToDictionary(t => t.Token, t => t.Id));

    private static Tokenizer Load(string json)
    {
        using var folder = TinyModels.Folder(("tokenizer.json", json));
        return Tokenizer.FromFolder(folder.Path);
    }

    private static void Fails(string json, string message)
    {
        using var folder = TinyModels.Folder(("tokenizer.json", json));
        var found = Assert.Throws<InputException>(() => Tokenizer.FromFolder(folder.Path)).Message;
        Assert.StartsWith($"{Path.Combine(folder.Path, "tokenizer.json")}: {message}", found);
    }
}
