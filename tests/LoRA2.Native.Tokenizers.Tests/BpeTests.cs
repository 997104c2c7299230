using FsCheck;
using FsCheck.Xunit;
using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Tokenizers.Bpe;

namespace LoRA2.Native.Tokenizers.Tests;

public class BpeTests
{
    private static readonly ByteLevelBpeTokenizer Tiny = Make();

    [Fact]
    public void MergesByRank()
    {
        Assert.Equal(["abc", "Ġthe", "Ġ", "aaaa", "a"], Tiny.Tokenize("abc the aaaaa"));
        Assert.Equal("<s>", Tiny.IdToToken(Tiny.Encode("abc")[0]));
        var pair = Tiny.EncodePair("abc", "abc");
        Assert.Equal([0, 264, 2, 2, 264, 2], pair.Ids);
        Assert.Equal(new int[6], pair.TypeIds);
    }

    [Fact]
    public void TheMaskTakesTheSpaceOnItsLeft() => Assert.Equal(["abc", "<mask>", "Ġ", "x"], Tiny.Tokenize("abc  <mask> x"));

    [Theory]
    [InlineData("I'll it's don't 'tis", "I|'ll| it|'s| don|'t| '|tis")]
    [InlineData("a  b\n\nc \n d", "a| | b|\n|\n|c| \n| d")]
    [InlineData("x1² ½!?é中  ", "x|1²| ½|!?|é中|  ")]
    [InlineData(" '\u00a0a", " '|\u00a0|a")]
    [InlineData("I'm we're I've he'd 'r' 'v 'l", "I|'m| we|'re| I|'ve| he|'d| '|r|'| '|v| '|l")]
    [InlineData("'rx'vx'lx'sx'", "'|rx|'|vx|'|lx|'s|x|'")]
    [InlineData(" 𝒜b𝟙1 😀! Ⅷ² a\u0301 ", " 𝒜b|𝟙1| 😀!| Ⅷ²| a|\u0301| ")]
    [InlineData("   a\t\tb \u2003", "  | a|\t|\t|b| \u2003")]
    [InlineData("ǅʰª_", "ǅʰª|_")]
    public void WordsAreGpt2s(string text, string words)
    {
        var found = new List<string>();
        for (var start = 0; start < text.Length;)
        {
            var end = Gpt2Splitter.WordEnd(text, start);
            found.Add(text[start..end]);
            start = end;
        }

        Assert.Equal(words.Split('|'), found);
    }

    [Fact]
    public void DecodingLeavesOutASpecialTokenThatTheTextSpellsOut() => Assert.Equal("V", Tiny.Decode(Tiny.Encode("V<s>")));

    [Property]
    public void DecodingUndoesEncoding(NonNull<string> text)
    {
        // A special token that a text spells out is that token, as in HuggingFace, and is left out again; without "<" there is none.
        var valid = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text.Get)).Replace("<", "", StringComparison.Ordinal);
        Assert.Equal(valid, Tiny.Decode(Tiny.Encode(valid)));
    }

    [Property]
    public void QueueAndScanMergeAlike(byte[] symbols, bool atOnce)
    {
        var (vocabulary, merges) = TinyModels.Bpe();
        // Merges out of order, as no trained vocabulary has them: (aa, aa) comes before (a, a).
        (string, string)[] rules = [("aa", "aa"), ("b", "a"), ("a", "a"), ("a", "b"), ("ab", "ba"), ("aa", "b"), ("aab", "c")];
        var model = new BpeModel(vocabulary, rules, new BpeOptions { MergesAllAtOnce = atOnce, ProductsMayBeUnknown = true }, _ => "");
        var (scan, queue) = (new SymbolList(), new SymbolList());
        foreach (var symbol in symbols)
        {
            var id = vocabulary.First(v => v.Token == "abca"[symbol % 4].ToString()).Id;
            scan.Add(id);
            queue.Add(id);
        }

        model.MergeShort(scan);
        model.MergeLong(queue);
        Assert.Equal(scan.Symbols[..scan.Count], queue.Symbols[..queue.Count]);
    }

    [Fact]
    public void LongWordsTakeNoQuadraticTime()
    {
        var ids = Tiny.Encode(new string('a', 400_000), addSpecialTokens: false);
        Assert.Equal(100_000, ids.Length);
    }

    [Fact]
    public void TheCacheForgetsNothingWrong()
    {
        var tokenizer = Make();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 100_000; i++)
            {
                var text = i.ToString("x");
                if (i % 997 == 0)
                    Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
                else
                    tokenizer.Encode(text);
            }
        }
    }

    [Theory]
    [InlineData("#version: 0.2\na b\na b c\n", "line 3: 'a b c' has 3 symbols; expected a merge of two, with a space between.")]
    [InlineData("#version: 0.2\nab\n", "line 2: 'ab' has 1 symbols; expected a merge of two, with a space between.")]
    public void BadMergesAreNamed(string merges, string message)
    {
        using var folder = TinyModels.Folder(("vocab.json", "{\"a\": 0}"), ("merges.txt", merges));
        Assert.Equal($"{Path.Combine(folder.Path, "merges.txt")}, {message}", Fails(folder));
    }

    [Theory]
    [InlineData("{\"a\": 0", ", line 1, byte 8: not valid JSON.")]
    [InlineData("[1]", ": holds a JSON array; expected an object.")]
    [InlineData("{}", ": has no tokens.")]
    [InlineData("{\"a\": 1.5}", "['a']: is a JSON number 1.5; expected a whole number from 0 to 2^30.")]
    [InlineData("{\"a\": -1}", "['a']: is a JSON number -1; expected a whole number from 0 to 2^30.")]
    [InlineData("{\"a\": \"x\"}", "['a']: is a JSON string; expected a whole number from 0 to 2^30.")]
    [InlineData("{\"a\": 0, \"b\": 0}", ": 'a' and 'b' both have the id 0; expected an id each.")]
    [InlineData("{\"a\": 0, \"a\": 1}", ": has the token 'a' twice; expected each token once.")]
    public void BadVocabulariesAreNamed(string vocabulary, string message)
    {
        using var folder = TinyModels.Folder(("vocab.json", vocabulary), ("merges.txt", "#version: 0.2\n"));
        Assert.Equal(Path.Combine(folder.Path, "vocab.json") + message, Fails(folder));
    }

    private static string Fails(TemporaryFolder folder) =>
        Assert.Throws<InputException>(() => Tokenizer.FromFolder(folder.Path)).Message;

    private static ByteLevelBpeTokenizer Make()
    {
        var (vocabulary, merges) = TinyModels.Bpe();
        return ByteLevelBpeTokenizer.Create(vocabulary, merges, new TokenizerSettings(), rank => $"merge {rank}");
    }
}
