using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers.Bpe;

namespace LoRA2.Native.Tokenizers.Tests;

/// <summary>What the options of a BPE model do, as HuggingFace's Rust library documents them; on words that are short enough to merge by hand.</summary>
public class BpeModelTests
{
    private static readonly BpeOptions Plain = new() { UnknownToken = "?" };

    /// <summary>Symbols after the first have the prefix, the last has the suffix, and a merge drops the prefix between its parts.</summary>
    [Fact]
    public void PrefixAndSuffixAreOfWordsNotOfTheirMerges()
    {
        BpeOptions options = Plain with { ContinuingPrefix = "##", EndOfWordSuffix = "</w>" };
        BpeModel model = Model("a ##b ##c</w> ab abc</w> a</w> ##b</w> ?", "a ##b|ab ##c</w>", options);
        Assert.Equal("0-3 abc</w>", Chars(model, "abc"));
        Assert.Equal("0-1 a|1-2 ##b</w>", Chars(model, "ab"));
        Assert.Equal("0-1 a</w>", Chars(model, "a"));
        Assert.Equal("0-1 ?", Chars(model, "b"));
        Assert.Equal("merge 0: 'b' is shorter than the prefix '##'.", Assert.Throws<InputException>(() => Model("a b ab", "a b", options)).Message);
    }

    [Fact]
    public void WhatTheVocabularyLacksIsUnknownOrLeftOut()
    {
        const string vocabulary = "a b ? <0xC3> <0xA9> <0xCE>";
        Assert.Equal("0-1 a|1-2 ?|2-3 ?|3-4 b", Chars(Model(vocabulary, "", Plain), "axyb"));
        Assert.Equal("0-4 a|0-4 ?|0-4 b", Chars(Model(vocabulary, "", Plain with { FuseUnknown = true }), "axyb"));
        Assert.Equal("0-1 ?|1-2 a|2-3 ?", Chars(Model(vocabulary, "", Plain with { FuseUnknown = true }), "xay"));
        foreach (string? none in (string?[])[null, "!"])
            Assert.Equal("0-4 a|0-4 b", Chars(Model(vocabulary, "", Plain with { UnknownToken = none }), "axyb"));
        // The bytes of é are there, of ν only the first.
        Assert.Equal("a <0xC3> <0xA9> ? b", Tokens(Chars(Model(vocabulary, "", Plain with { ByteFallback = true }), "aéνb")));
        Assert.Equal("a ? ? b", Tokens(Chars(Model(vocabulary, "", Plain), "aéνb")));
    }

    /// <summary>Two runs that are one token each, of 1 and 9 characters, are as long as two unknown tokens; a letter and eleven that are left out are as long as two bytes that are spelled out.</summary>
    [Fact]
    public void LengthsThatAddUpByChanceAreNoPlaces()
    {
        BpeOptions options = Plain with { UnknownToken = "<unk>", FuseUnknown = true };
        Assert.Equal("0-11 <unk>|0-11 a|0-11 <unk>", Chars(Model("a <unk>", "", options), "xayyyyyyyyy"));
        Assert.Equal("0-12 <0xC3>|0-12 <0xA9>", Chars(Model("a <0xC3> <0xA9>", "", new BpeOptions { ByteFallback = true }), "é" + new string('x', 11)));
    }

    [Fact]
    public void AWordOfTheVocabularyNeedsNoMerges()
    {
        const string vocabulary = "a b c abc Ġ Ġabc ?";
        Assert.Equal("0-1 a|1-2 b|2-3 c", Chars(Model(vocabulary, "", Plain), "abc"));
        Assert.Equal("0-3 abc", Chars(Model(vocabulary, "", Plain with { IgnoreMerges = true }), "abc"));
        Assert.Equal("0-1 a|1-2 b", Chars(Model(vocabulary, "", Plain with { IgnoreMerges = true }), "ab"));
        Assert.Equal("0-1 Ġ|1-2 a|2-3 b|3-4 c", Bytes(Model(vocabulary, "", Plain), " abc"));
        Assert.Equal("0-4 Ġabc", Bytes(Model(vocabulary, "", Plain with { IgnoreMerges = true }), " abc"));
        Assert.Equal("0-1 Ġ|1-2 a", Bytes(Model(vocabulary, "", Plain with { IgnoreMerges = true }), " a"));
        string word = new('a', 300);
        Assert.Equal($"0-300 {word}", Bytes(Model($"a {word} ?", "", Plain with { IgnoreMerges = true }), word));
    }

    [Fact]
    public void BytesThatTheVocabularyLacksAreUnknown()
    {
        BpeModel model = Model("a b Ã ab ?", "a b", Plain);
        Assert.Equal("0-2 ab", Bytes(model, "ab"));
        Assert.Equal("0-1 a|1-2 ?|2-3 b", Bytes(model, "axb"));
        // © is the second byte of é.
        Assert.Equal("0-1 Ã|0-1 ?", Bytes(model, "é"));
        Assert.Equal("0-3 a|0-3 b", Bytes(Model("a b", "", new BpeOptions()), "axb"));
    }

    /// <summary>The characters of a word with others of one to four bytes before them.</summary>
    [Fact]
    public void ByteSymbolsAreWhereTheirCharactersAre()
    {
        var (vocabulary, _) = TinyModels.Bpe();
        var model = new BpeModel(vocabulary, [], new BpeOptions(), _ => "");
        string[] places = [.. Bytes(model, "aé中😀b").Split('|').Select(token => token.Split(' ')[0])];
        Assert.Equal(["0-1", "1-2", "1-2", "2-3", "2-3", "2-3", "3-5", "3-5", "3-5", "3-5", "5-6"], places);
    }

    [Theory]
    [InlineData("a b", "a b", "merge 0: 'ab' of the merge 'a b' is not in the vocabulary.")]
    [InlineData("a ab", "a b", "merge 0: 'b' of the merge 'a b' is not in the vocabulary.")]
    [InlineData("b ab", "a b", "merge 0: 'a' of the merge 'a b' is not in the vocabulary.")]
    [InlineData("a b ab", "a b|b b", "merge 1: 'bb' of the merge 'b b' is not in the vocabulary.")]
    public void MergesAreOfTheVocabulary(string vocabulary, string merges, string message) =>
        Assert.Equal(message, Assert.Throws<InputException>(() => Model(vocabulary, merges, new BpeOptions())).Message);

    /// <summary>The Python tokenizer keeps the text of what its vocabulary lacks, with the id of the unknown token.</summary>
    [Fact]
    public void ProductsMayBeUnknown()
    {
        var model = new BpeModel([("a", 3), ("b", 5)], [("", ""), ("a", "b"), ("ab", "c")], new BpeOptions { ProductsMayBeUnknown = true, UnknownId = 7 }, _ => "");
        var sink = new TokenSink { Pieces = [] };
        model.EncodeBytes("abcba", new Scratch(), sink);
        Assert.Equal(["abc", "b", "a"], sink.Pieces);
        Assert.Equal([7, 5, 3], sink.Ids.ToArray());
    }

    /// <summary>Words are merged again only where they were not kept; both ways they are the same.</summary>
    [Fact]
    public void AWordThatWasKeptIsTheSame()
    {
        BpeModel model = Model("a b ab ?", "a b", Plain);
        var (scratch, sink) = (new Scratch(), new TokenSink { Pieces = [] });
        foreach (string word in (string[])["ab", "ba", "ab", "ba", "a", new string('a', 64), new string('a', 65), new string('a', 64), new string('a', 65)])
        {
            foreach (bool bytes in (bool[])[false, true])
            {
                sink.Clear();
                sink.Follow();
                if (bytes) model.EncodeBytes(word, scratch, sink);
                else model.EncodeChars(word, scratch, sink);
                Assert.Equal(word, string.Concat(sink.Pieces!));
                Assert.Equal(word.Length - (word.Contains("ab", StringComparison.Ordinal) ? 1 : 0), sink.Count);
                Assert.Equal((0, word.Length), (sink.Places[0].Start, sink.Places[^1].End));
            }
        }
    }

    /// <summary>GPT-2's bytes_to_unicode, by its code: what Latin-1 prints stays, the others follow from U+0100 on.</summary>
    [Fact]
    public void TheByteAlphabetIsGpt2s()
    {
        (int Byte, char Char)[] known =
        [
            (0, 'Ā'), ('\n', 'Ċ'), (31, 'ğ'), (' ', 'Ġ'), ('!', '!'), ('a', 'a'), ('~', '~'), (0x7F, 'ġ'), (0xA0, 'ł'), (0xA1, '¡'), (0xAC, '¬'), (0xAD, 'Ń'), (0xAE, '®'), (0xFF, 'ÿ'),
        ];
        Assert.All(known, pair => Assert.Equal((pair.Char, pair.Byte), (ByteAlphabet.Chars[pair.Byte], ByteAlphabet.ByteOf(pair.Char))));
        Assert.Equal(256, ByteAlphabet.Chars.Distinct().Count());
        Assert.All((char[])[' ', '\0', '\u00AD', '\u0144', '\u01FF', '\u0200', '中'], c => Assert.Equal(-1, ByteAlphabet.ByteOf(c)));
        // A token that is no bytes stays as it is, and bytes that are no text are U+FFFD.
        Assert.Equal("a 中é\uFFFD", ByteLevelText.Join(["a", "Ġ", "中", "Ã", "©", "Ã"]));
    }

    /// <summary>The first line is a heading, an empty one a rank, and what follows the last line feed does not count.</summary>
    [Fact]
    public void MergesAreReadAsPythonReadsThem()
    {
        using var folder = TinyModels.Folder(("merges.txt", "a b\nt h\n\n \nĠ\tth\nth e"), ("long.txt", $"\n{new string('x', 60)}\n{new string('y', 61)}\n"));
        Assert.Equal([("t", "h"), ("", ""), ("", ""), ("Ġ", "th")], BpeFiles.ReadMerges(Path.Combine(folder.Path, "merges.txt")));
        string file = Path.Combine(folder.Path, "long.txt");
        Assert.Equal($"{file}, line 2: '{new string('x', 60)}' has 1 symbols; expected a merge of two, with a space between.", Assert.Throws<InputException>(() => BpeFiles.ReadMerges(file)).Message);
        Assert.Equal($"m: '{new string('y', 60)}…' has 1 symbols; expected a merge of two, with a space between.", Assert.Throws<InputException>(() => BpeFiles.Parse(new string('y', 61), "m")).Message);
    }

    private static BpeModel Model(string vocabulary, string merges, BpeOptions options) => new(
        vocabulary.Split(' ').Select((token, id) => (token, id)),
        [.. merges.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(merge => merge.Split(' ')).Select(parts => (parts[0], parts[1]))], options, rank => $"merge {rank}");

    private static string Chars(BpeModel model, string word) => Shown(sink => model.EncodeChars(word, new Scratch(), sink));

    private static string Bytes(BpeModel model, string word) => Shown(sink => model.EncodeBytes(word, new Scratch(), sink));

    private static string Tokens(string shown) => string.Join(' ', shown.Split('|').Select(token => token.Split(' ')[1]));

    private static string Shown(Action<TokenSink> encode)
    {
        var sink = new TokenSink();
        sink.Clear();
        sink.Follow();
        encode(sink);
        return string.Join('|', sink.Pieces!.Zip(sink.Places).Select(token => $"{token.Second.Start}-{token.Second.End} {token.First}"));
    }
}
