using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

/// <summary>Tags and spans that could be read as something else than was meant.</summary>
public sealed class TaggedDataTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("\U0001F600\U0001F600 a b c", """{"start": 5, "end": 6, "label": "X", "text": "a"}""", "span 5 to 6 (X) covers \"b\", and its \"text\" is \"a\": the offsets look like UTF-16 units; code points were expected.")]
    [InlineData("\U0001F600 a", """{"start": 3, "end": 4, "label": "X", "text": "a"}""", "span 3 to 4 (X) covers no stretch of the text's 3 characters, and its \"text\" is \"a\": the offsets look like UTF-16 units")]
    [InlineData("é a b c", """{"start": 3, "end": 4, "label": "X", "surface": "a"}""", "its \"surface\" is \"a\": the offsets look like UTF-8 bytes; code points were expected.")]
    [InlineData("é a b c", """{"start": 3, "end": 4, "entity": "X", "value": "a"}""", "its \"value\" is \"a\": the offsets look like UTF-8 bytes; code points were expected.")]
    [InlineData("good film", """{"start": 5, "end": 8, "label": "X", "text": "film"}""", "covers \"fil\", and its \"text\" is \"film\": the end looks like the place of the last character; the place after it was expected.")]
    [InlineData("a film", """{"start": 3, "end": 6, "label": "X", "text": "film"}""", "covers \"ilm\", and its \"text\" is \"film\": the start looks counted from 1; a count from 0 was expected.")]
    [InlineData("good film", """{"start": 0, "end": 4, "label": "X", "text": "film"}""", "span 0 to 4 (X) covers \"good\", and its \"text\" is \"film\", expected the stretch that the offsets cover.")]
    public void ASpanWhoseOwnTextIsElsewhereIsRefused(string text, string span, string expected)
    {
        string message = Assert.Throws<InputException>(() => Load("d.jsonl", $$"""{"text": "x y", "spans": []}""" + "\n" + $$"""{"text": "{{text}}", "spans": [{{span}}]}""")).Message;
        Assert.Contains("d.jsonl, line 2: ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\U0001F600\U0001F600 a b c", """{"start": 3, "end": 4, "label": "X", "text": "a"}""")]
    [InlineData("good film", """{"start": 4, "end": 9, "label": "X", "text": "film"}""")]
    [InlineData("in New York", """{"start": 3, "end": 11, "label": "X", "value": "NYC"}""")]
    [InlineData("in New York", """{"start": 3, "end": 11, "label": "X", "word": "new york"}""")]
    [InlineData("in New York", """{"start": 3, "end": 11, "label": "X", "text": null}""")]
    [InlineData("in New\\nYork", """{"start": 3, "end": 11, "label": "X", "text": "New York"}""")]
    public void ASpanThatSaysWhatItCoversIsData(string text, string span) => Assert.Single(Load("d.jsonl", $$"""{"text": "{{text}}", "spans": [{{span}}]}""").Examples[0].Spans!);

    [Theory]
    [InlineData("good O\nbad B_X\nfilm I_X\n", "line 2: tag \"B_X\" of word \"bad\" looks like B-X in another spelling, expected the letter, a capital, and a hyphen before the type; --tag-scheme plain takes every tag as it is.")]
    [InlineData("good b-x\nbad i-x\nfilm o\n", "line 1: tag \"b-x\" of word \"good\" looks like B-x in another spelling")]
    [InlineData("good O\n\nbad X-B\nfilm X-I\n", "line 3: tag \"X-B\" of word \"bad\" looks like B-X in another spelling")]
    [InlineData("good O\nbad U-X\n", "line 2: tag \"U-X\" of word \"bad\" looks like BILOU; in BIOES L-X is written E-X and U-X S-X")]
    [InlineData("good NOUN\nbad B_X\nfilm I_X\n", "line 2: tag \"B_X\"")]
    [InlineData("good PER\nbad o\n", "line 2: tag \"o\" of word \"bad\" looks like the tag of a word in no entity, which is written O, a capital letter; --tag-scheme plain")]
    [InlineData("good PER\nbad 0\n", "line 2: tag \"0\" of word \"bad\" looks like the tag of a word in no entity")]
    [InlineData("good B-X\nbad L-X\n", "line 2: tag \"L-X\" of word \"bad\" is none of BIO's, expected O or B-, I- and a type; it looks like BILOU; in BIOES L-X is written E-X and U-X S-X.")]
    [InlineData("good B-X\nbad o\n", "line 2: tag \"o\" of word \"bad\" is none of BIO's, expected O or B-, I- and a type; it looks like the tag of a word in no entity")]
    [InlineData("good O\nbad I-X\n", "line 2: tag \"I-X\" of word \"bad\" follows O, expected B-X or I-X before it; in IOB1 I- may begin an entity: ask for it by --tag-scheme iob1.")]
    public void TagsOfAnotherSpellingAreNoTypes(string rows, string expected) =>
        Assert.Contains("d.conll, " + expected, Assert.Throws<InputException>(() => Load("d.conll", rows)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("good e-mail\nbad phone\n")]
    [InlineData("good e-mail\nbad O\n")]
    [InlineData("good PRP$\nbad -LRB-\nfilm NN-S\n")]
    [InlineData("good 0\nbad 1\nfilm 2\n")]
    [InlineData("good B\nbad I\nfilm O\n")]
    [InlineData("good B_X\nbad Y\n")]
    public void TagsThatOnlyResembleThemAreTypes(string rows) => Assert.DoesNotContain("B-X", Load("d.conll", rows).LabelNames!);

    [Fact]
    public void WhoAsksForPlainTagsOrHasAModelOfThemGetsThem()
    {
        Assert.Equal(["O", "B_X", "I_X"], Load("d.conll", "good O\nbad B_X\nfilm I_X\n", TagScheme.Plain).LabelNames);
        Assert.Equal(["O", "B_X", "I_X"], Load("d.conll", "good O\nbad B_X\nfilm I_X\n", labels: ["O", "B_X", "I_X"]).LabelNames);
        Assert.Equal(["O", "B-X", "I-X"], Load("d.conll", "good O\nbad I-X\nfilm I-X\n", TagScheme.Iob1).LabelNames);
    }

    private Dataset Load(string name, string rows, TagScheme? scheme = null, IReadOnlyList<string>? labels = null) =>
        DatasetFile.Load(folder.Write(name, rows), new DatasetOptions { Kind = new TokenTask { Scheme = scheme }, LabelNames = labels });
}
