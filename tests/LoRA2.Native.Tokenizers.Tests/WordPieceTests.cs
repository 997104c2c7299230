using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Tokenizers.WordPiece;

namespace LoRA2.Native.Tokenizers.Tests;

public class WordPieceTests
{
    private static readonly WordPieceTokenizer Tiny = WordPieceTokenizer.Create(TinyModels.WordPiece(), new TokenizerSettings());

    [Theory]
    [InlineData("The FOX jumps!", "the fox jump ##s !")]
    [InlineData("unknown thex", "un ##known [UNK]")]
    [InlineData("Café, CAFE\u0301", "cafe , cafe")]
    [InlineData("a中a", "a 中 a")]
    [InlineData("a\u0000\uFFFD\u200Db\tb", "a ##b b")]
    [InlineData("a\u0378b", "a ##b")]
    [InlineData("a [MASK] b[SEP]", "a [MASK] b [SEP]")]
    [InlineData("[mask]", "[UNK] [UNK] [UNK]")]
    [InlineData("\uD800a", "a")]
    public void SplitsAsBertDoes(string text, string tokens) => Assert.Equal(tokens.Split(' '), Tiny.Tokenize(text));

    /// <summary>As BertTokenizer's arguments are documented: without the basic tokenizer words end at white space alone, and a vocabulary of lower case meets capitals.</summary>
    [Theory]
    [InlineData("{}", "é a中a FOX!", "[UNK] a 中 a fox !")]
    [InlineData("{\"tokenize_chinese_chars\": false}", "é a中a FOX!", "[UNK] [UNK] fox !")]
    [InlineData("{\"strip_accents\": false}", "é e\u0301 Café", "é é [UNK]")]
    [InlineData("{\"do_lower_case\": false, \"strip_accents\": true}", "café Fox", "cafe [UNK]")]
    [InlineData("{\"do_basic_tokenize\": false}", " é fox\u2003a! jumps FOX ", "é fox [UNK] jump ##s [UNK]")]
    public void SettingsAreFollowed(string config, string text, string tokens)
    {
        using var folder = TinyModels.Folder(("tokenizer_config.json", config));
        Assert.Equal(tokens.Split(' '), WordPieceTokenizer.Create(TinyModels.WordPiece(), TokenizerSettings.Read(folder.Path)).Tokenize(text));
    }

    /// <summary>The blocks of _is_chinese_char in BERT's tokenization.py, from their first to their last code point.</summary>
    [Theory]
    [InlineData(0x3400, 0x4DBF)]
    [InlineData(0x4E00, 0x9FFF)]
    [InlineData(0xF900, 0xFAFF)]
    [InlineData(0x20000, 0x2A6DF)]
    [InlineData(0x2A700, 0x2CEAF)]
    [InlineData(0x2F800, 0x2FA1F)]
    public void IdeographsAreThoseOfBert(int first, int last)
    {
        for (int c = first; c <= last; c++) Assert.True(BasicTokenizer.IsCjk(c), $"{c:X}");
        Assert.False(BasicTokenizer.IsCjk(first - 1));
        Assert.False(BasicTokenizer.IsCjk(last + 1));
    }

    /// <summary>A continuation joins what is before it; all others have a space between.</summary>
    [Fact]
    public void DecodingJoinsContinuations()
    {
        Assert.Equal("the fox jumps!", Tiny.Decode(Tiny.Encode("the fox jumps!")).Replace(" !", "!", StringComparison.Ordinal));
        Assert.Equal("[CLS] unknown jumping , a [SEP]", Tiny.Decode([2, 10, 11, 7, 9, 17, 13, 3], skipSpecialTokens: false));
        Assert.Equal("##", Tiny.ContinuationPrefix);
    }

    [Fact]
    public void WordsBeyondAHundredCharactersAreUnknown()
    {
        var vocabulary = new List<(string, int)> { ("[UNK]", 0), ("a", 1), ("##a", 2), ("𝒜", 3), ("##𝒜", 4) };
        var tokenizer = WordPieceTokenizer.Create(vocabulary, new TokenizerSettings());
        Assert.Equal(100, tokenizer.Tokenize(new string('a', 100)).Length);
        Assert.Equal(["[UNK]"], tokenizer.Tokenize(new string('a', 101)));
        Assert.Equal(100, tokenizer.Tokenize(string.Concat(Enumerable.Repeat("𝒜", 100))).Length);
    }

    [Fact]
    public void ACasedVocabularyIsNotLowerCased()
    {
        var vocabulary = TinyModels.WordPiece();
        vocabulary.Add(("Fox", vocabulary.Count));
        Assert.Equal(["Fox"], WordPieceTokenizer.Create(vocabulary, new TokenizerSettings()).Tokenize("Fox"));
        Assert.Equal(["fox"], WordPieceTokenizer.Create(vocabulary, new TokenizerSettings { DoLowerCase = true }).Tokenize("Fox"));
    }

    [Fact]
    public void SpecialTokensThatTheVocabularyLacksComeBehindIt()
    {
        var tokenizer = WordPieceTokenizer.Create([("a", 0), ("b", 1)], new TokenizerSettings());
        Assert.Equal((2, 3, 4, 5, 6), (tokenizer.UnkId, tokenizer.SepId, tokenizer.PadId, tokenizer.ClsId, tokenizer.MaskId));
        Assert.Equal([5, 0, 2, 3], tokenizer.Encode("a q"));
    }

    [Fact]
    public void VocabulariesAreReadAsPythonReadsThem()
    {
        using var folder = TinyModels.Folder(("vocab.txt", "[UNK]\r\na\n\u2028\na\nb"));
        Assert.Equal([("[UNK]", 0), ("a", 3), ("\u2028", 2), ("b", 4)], WordPieceTokenizer.ReadVocabulary(Path.Combine(folder.Path, "vocab.txt")));
    }

    [Fact]
    public void BadVocabulariesAreNamed()
    {
        using var folder = TinyModels.Folder(("vocab.txt", ""));
        var file = Path.Combine(folder.Path, "vocab.txt");
        Assert.Equal($"{file}: is empty; expected a token a line.", Assert.Throws<InputException>(() => Tokenizer.FromFolder(folder.Path)).Message);
        File.WriteAllBytes(file, [(byte)'a', (byte)'\n', 0xFF, (byte)'\n']);
        Assert.Equal($"{file}, line 2: is not valid UTF-8.", Assert.Throws<InputException>(() => Tokenizer.FromFolder(folder.Path)).Message);
    }

    [Fact]
    public void ConfigurationIsFollowedAndItsDamagesAreNamed()
    {
        using var folder = TinyModels.Folder(
            ("vocab.txt", string.Join('\n', TinyModels.Words) + "\n"),
            ("tokenizer_config.json", "{\"do_lower_case\": false, \"mask_token\": {\"content\": \"<m>\", \"lstrip\": true}}"),
            ("added_tokens.json", "{\"<new>\": 20}"));
        var tokenizer = Tokenizer.FromFolder(folder.Path);
        Assert.Equal((21, 22), (tokenizer.MaskId, tokenizer.VocabularySize));
        Assert.Equal(["the", "<m>", "<new>", "[UNK]"], tokenizer.Tokenize("the <m><new> FOX"));
        var file = Path.Combine(folder.Path, "tokenizer_config.json");
        File.WriteAllText(file, "{\"cls_token\": \"\"}");
        Assert.Equal($"{file}.cls_token: is empty; expected a token.", Assert.Throws<InputException>(() => Tokenizer.FromFolder(folder.Path)).Message);
        File.WriteAllText(file, "{\"do_lower_case\": \"no\"}");
        Assert.Equal(
            $"{file}.do_lower_case: is a JSON string; expected true or false.",
            Assert.Throws<InputException>(() => Tokenizer.FromFolder(folder.Path)).Message);
    }
}
