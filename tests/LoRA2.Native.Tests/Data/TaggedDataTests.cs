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

    private Dataset Load(string name, string rows, TagScheme? scheme = null, IReadOnlyList<string>? labels = null) =>
        DatasetFile.Load(folder.Write(name, rows), new DatasetOptions { Kind = new TokenTask { Scheme = scheme }, LabelNames = labels });
}
