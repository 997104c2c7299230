using System.Text;
using FsCheck.Xunit;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Tokenizers.SentencePiece;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Tests;

public class TokenizerPropertyTests
{
    private static readonly string[] KindNames = ["sentencepiece", "bpe", "wordpiece", "json"];

    private static readonly Dictionary<string, Tokenizer> Tokenizers = KindNames.ToDictionary(kind => kind, Make);

    [Property(MaxTest = 500)]
    public void NoTextIsRefusedAndEveryIdIsInTheVocabulary(Text text)
    {
        foreach (var (kind, tokenizer) in Tokenizers)
        {
            var encoded = tokenizer.EncodeWithTokens(text.Value);
            Assert.Equal(encoded.Ids, tokenizer.Encode(text.Value));
            Assert.True(encoded.Ids.Length == encoded.Tokens.Length, kind);
            Assert.All(encoded.Ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
            tokenizer.Decode(encoded.Ids);
        }
    }

    [Property(MaxTest = 300)]
    public void TruncationKeepsToTheLengthAndToPrefixes(Text a, Text b, byte most)
    {
        var length = most % 21;
        foreach (var tokenizer in Tokenizers.Values)
        {
            var (first, second) = (tokenizer.Encode(a.Value, false), tokenizer.Encode(b.Value, false));
            var whole = tokenizer.EncodePair(a.Value, b.Value);
            var cut = tokenizer.EncodePair(a.Value, b.Value, length);
            var added = whole.Ids.Length - first.Length - second.Length;
            Assert.Equal(Math.Min(whole.Ids.Length, Math.Max(length, added)), cut.Ids.Length);
            Assert.Equal(cut.Ids.Length, cut.TypeIds.Length);
            var single = tokenizer.EncodePair(a.Value, null, length);
            Assert.Equal(first.Take(single.Ids.Length - 2), single.Ids[1..^1]);
        }
    }

    [Property(MaxTest = 200)]
    public void TruncationIsPythonsLoop(byte lengthOfFirst, byte lengthOfSecond, byte most)
    {
        var (first, second, room) = (lengthOfFirst % 31, lengthOfSecond % 31, most % 41);
        var (a, b) = (first, second);
        while (a + b > room)
        {
            if (a > b)
                a--;
            else
                b--;
        }

        Assert.Equal((a, b), Truncation.LongestFirst(first, second, room, likePython: true));
        var rust = Truncation.LongestFirst(first, second, room, likePython: false);
        Assert.Equal(a + b, rust.First + rust.Second);
    }

    [Theory]
    [InlineData(5, 10, 7, 3, 4)]
    [InlineData(10, 5, 7, 4, 3)]
    [InlineData(2, 10, 7, 2, 5)]
    [InlineData(10, 10, 7, 3, 4)]
    public void RustGivesTheOddTokenToTheLonger(int first, int second, int room, int keptFirst, int keptSecond) =>
        Assert.Equal((keptFirst, keptSecond), Truncation.LongestFirst(first, second, room, likePython: false));

    [Theory]
    [InlineData("e\u0302\u0323", NormalizationForm.FormC, "\u1EC7")]
    [InlineData("\u1E9B\u0323", NormalizationForm.FormC, "\u1E9B\u0323")]
    [InlineData("\u1E9B\u0323", NormalizationForm.FormD, "\u017F\u0323\u0307")]
    [InlineData("\u1E9B\u0323", NormalizationForm.FormKC, "\u1E69")]
    [InlineData("\u1E9B\u0323", NormalizationForm.FormKD, "s\u0323\u0307")]
    [InlineData("\u1112\u1161\u11AB", NormalizationForm.FormC, "한")]
    [InlineData("한", NormalizationForm.FormD, "\u1112\u1161\u11AB")]
    [InlineData("\u212B\u2126\u0344", NormalizationForm.FormC, "Å\u03A9\u0308\u0301")]
    [InlineData("ﷺ½", NormalizationForm.FormKC, "صلى الله عليه وسلم1⁄2")]
    public void NormalizationFormsFollowUax15(string text, NormalizationForm form, string expected) => Assert.Equal(expected, Normalize(text, form));

    [Property]
    public void NormalizationIsIdempotent(Text text)
    {
        foreach (var form in Enum.GetValues<NormalizationForm>())
            Assert.Equal(Normalize(text.Value, form), Normalize(Normalize(text.Value, form), form));
        Assert.Equal(Normalize(text.Value, NormalizationForm.FormC), Normalize(Normalize(text.Value, NormalizationForm.FormD), NormalizationForm.FormC));
    }

    [Property]
    public void TheTrieIsADictionary(Text[] keys, Text text)
    {
        var entries = keys.Select(k => k.Value).Where(k => k.Length > 0 && !k.Contains('\0')).Distinct()
            .Select(k => Encoding.UTF8.GetBytes(k)).DistinctBy(Convert.ToHexString).ToArray();
        var trie = new ByteTrie(entries.Select((k, i) => (k, i, (float)i)));
        for (var i = 0; i < entries.Length; i++)
            Assert.Equal(i, trie.Value(trie.Find(entries[i])));
        var bytes = Encoding.UTF8.GetBytes(text.Value);
        var longest = entries.Where(k => bytes.AsSpan().StartsWith(k)).Select(k => k.Length).DefaultIfEmpty(0).Max();
        Assert.Equal(longest, trie.LongestPrefix(bytes));
    }

    [Fact]
    public void ThreadsDoNotDisturbEachOther()
    {
        foreach (var kind in KindNames)
        {
            var tokenizer = Make(kind);
            var texts = Enumerable.Range(0, 200).Select(i => string.Concat(Text.Fragments.Skip(i % 20).Take(i % 7 + 1)) + i).ToArray();
            var expected = texts.Select(t => tokenizer.Encode(t)).ToArray();
            Parallel.For(0, 2000, i => Assert.Equal(expected[i % 200], tokenizer.Encode(texts[i % 200])));
        }
    }

    private static string Normalize(string text, NormalizationForm form)
    {
        var output = new CharBuffer();
        NormalizationForms.Append(output, text, form);
        return output.Span.ToString();
    }

    private static Tokenizer Make(string kind)
    {
        switch (kind)
        {
            case "sentencepiece":
                return SentencePieceTokenizer.Create(
                    SentencePieceModelReader.Parse(TinyModels.Unigram(TinyModels.Pieces), "m"), new TokenizerSettings());
            case "bpe":
                var (vocabulary, merges) = TinyModels.Bpe();
                return LoRA2.Native.Tokenizers.Bpe.ByteLevelBpeTokenizer.Create(vocabulary, merges, new TokenizerSettings(), _ => "");
            case "wordpiece":
                return LoRA2.Native.Tokenizers.WordPiece.WordPieceTokenizer.Create(TinyModels.WordPiece(), new TokenizerSettings());
            default:
                using (var folder = TinyModels.Folder(("tokenizer.json", TokenizerJsonTests.Bert())))
                    return Tokenizer.FromFolder(folder.Path);
        }
    }
}
