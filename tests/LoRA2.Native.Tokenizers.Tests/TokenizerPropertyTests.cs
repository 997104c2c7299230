using System.Text;
using FsCheck;
using FsCheck.Fluent;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Tokenizers.SentencePiece;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Tests;

public class TokenizerPropertyTests
{
    private static readonly string[] KindNames = ["sentencepiece", "bpe", "wordpiece", "json"];

    private static readonly string[] Fragments =
    [
        "the fox", " ", "  ", "\t\n", "[MASK]", "<mask>", "<s>", "[CLS", "é", "e\u0301", "\uD800", "\uDC00", "😀", "中", "\u0000", "\u200B", "İ",
        "ΑΣ", "한", "ﬁ", "▁", "Ġ", "##", "'s", "!!", "123", "\u0378", "\u1E9B\u0323", "aaaa", "\u00A0", "\u2028", "\uFFFD",
    ];

    private static readonly Arbitrary<string> Texts = Gen.OneOf(
        Gen.ListOf(Gen.Elements(Fragments)).Select(parts => string.Concat(parts)),
        Gen.ListOf(Gen.Choose(0, 0xFFFF)).Select(chars => string.Concat(chars.Select(c => (char)c)))).ToArbitrary();

    public static TheoryData<string> Kinds => new(KindNames);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void NoTextIsRefusedAndEveryIdIsInTheVocabulary(string kind)
    {
        var tokenizer = Make(kind);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(Texts, text =>
        {
            var encoded = tokenizer.EncodeWithTokens(text);
            Assert.Equal(encoded.Ids, tokenizer.Encode(text));
            Assert.Equal(encoded.Ids.Length, encoded.Tokens.Length);
            Assert.All(encoded.Ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
            tokenizer.Decode(encoded.Ids);
        }));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void TruncationKeepsToTheLengthAndToPrefixes(string kind)
    {
        var tokenizer = Make(kind);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(Texts, Texts, Gen.Choose(0, 20).ToArbitrary(), (a, b, length) =>
        {
            var (first, second) = (tokenizer.Encode(a, false), tokenizer.Encode(b, false));
            var whole = tokenizer.EncodePair(a, b);
            var cut = tokenizer.EncodePair(a, b, length);
            var added = whole.Ids.Length - first.Length - second.Length;
            Assert.Equal(Math.Min(whole.Ids.Length, Math.Max(length, added)), cut.Ids.Length);
            Assert.Equal(cut.Ids.Length, cut.TypeIds.Length);
            var single = tokenizer.EncodePair(a, null, length);
            Assert.Equal(first.Take(single.Ids.Length - 2), single.Ids[1..^1]);
        }));
    }

    [Fact]
    public void TruncationIsPythonsLoop() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Choose(0, 30).ToArbitrary(), Gen.Choose(0, 30).ToArbitrary(), Gen.Choose(0, 40).ToArbitrary(), (first, second, room) =>
        {
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
        }));

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

    [Fact]
    public void NormalizationIsIdempotent() => Check.QuickThrowOnFailure(Prop.ForAll(Texts, text =>
    {
        foreach (var form in Enum.GetValues<NormalizationForm>())
            Assert.Equal(Normalize(text, form), Normalize(Normalize(text, form), form));
        Assert.Equal(Normalize(text, NormalizationForm.FormC), Normalize(Normalize(text, NormalizationForm.FormD), NormalizationForm.FormC));
    }));

    [Fact]
    public void TheTrieIsADictionary() => Check.QuickThrowOnFailure(Prop.ForAll<string[], NonNull<string>>((keys, text) =>
    {
        var entries = keys.Where(k => !string.IsNullOrEmpty(k) && !k.Contains('\0')).Distinct()
            .Select(k => Encoding.UTF8.GetBytes(k)).DistinctBy(Convert.ToHexString).ToArray();
        var trie = new ByteTrie(entries.Select((k, i) => (k, i, (float)i)));
        for (var i = 0; i < entries.Length; i++)
            Assert.Equal(i, trie.Value(trie.Find(entries[i])));
        var bytes = Encoding.UTF8.GetBytes(text.Get);
        var longest = entries.Where(k => bytes.AsSpan().StartsWith(k)).Select(k => k.Length).DefaultIfEmpty(0).Max();
        Assert.Equal(longest, trie.LongestPrefix(bytes));
    }));

    [Fact]
    public void ThreadsDoNotDisturbEachOther()
    {
        foreach (var kind in KindNames)
        {
            var tokenizer = Make(kind);
            var texts = Enumerable.Range(0, 200).Select(i => string.Concat(Fragments.Skip(i % 20).Take(i % 7 + 1)) + i).ToArray();
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
