using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Tests.Inference;

/// <summary>
/// Spans of tokens by the rules that HuggingFace publishes for its token-classification pipeline, worked out by hand: a word has its first token's tag, the tag of the highest mean probability, or
/// its surest token's; neighbours of one type are a group unless one begins with B-; a group's score is the mean of its words'.
/// </summary>
public sealed class SpanAggregatorTests : IDisposable
{
    private static readonly string[] Names = ["O", "B-ENT", "I-ENT", "B-NAME", "I-NAME"];
    private readonly TemporaryFolder folder = new();
    private readonly Tokenizer tokenizer;

    public SpanAggregatorTests()
    {
        folder.Write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nmicro\n##soft\ncom\n##pany\nanna\nbob\nin\n");
        tokenizer = Tokenizer.FromFolder(folder.Path);
    }

    public void Dispose() => folder.Dispose();

    // The pipeline's own example: micro|soft com|pany with B-ENT I-NAME I-ENT I-ENT is microsoft company with B-ENT I-ENT by the first tokens.
    [Theory]
    [InlineData(SpanAggregation.None, "B-ENT 0-5 0.6, I-NAME 5-9 0.9, I-ENT 10-13 0.7, I-ENT 13-17 0.8")]
    [InlineData(SpanAggregation.Simple, "ENT 0-5 0.6, NAME 5-9 0.9, ENT 10-17 0.75")]
    [InlineData(SpanAggregation.First, "ENT 0-17 0.65")]
    [InlineData(SpanAggregation.Average, "NAME 0-9 0.6, ENT 10-17 0.75")]
    [InlineData(SpanAggregation.Max, "NAME 0-9 0.9, ENT 10-17 0.8")]
    public void TokensOfOneWordAgreeByTheStrategy(SpanAggregation aggregation, string expected) => Compare(expected, aggregation, "microsoft company",
        [0.1, 0.6, 0, 0, 0.3], [0, 0.1, 0, 0, 0.9], [0.3, 0, 0.7, 0, 0], [0.2, 0, 0.8, 0, 0]);

    [Theory]
    [InlineData(SpanAggregation.None, "B-ENT 0-4 0.8, I-ENT 5-8 0.6, B-ENT 12-16 0.5, B-ENT 17-20 1")]
    [InlineData(SpanAggregation.Simple, "ENT 0-8 0.7, ENT 12-16 0.5, ENT 17-20 1")]
    [InlineData(SpanAggregation.First, "ENT 0-8 0.7, ENT 12-16 0.5, ENT 17-20 1")]
    [InlineData(SpanAggregation.Average, "ENT 0-8 0.7, ENT 12-16 0.5, ENT 17-20 1")]
    [InlineData(SpanAggregation.Max, "ENT 0-8 0.7, ENT 12-16 0.5, ENT 17-20 1")]
    public void WhatBeginsWithBIsASpanOfItsOwnAndOEndsOne(SpanAggregation aggregation, string expected) => Compare(expected, aggregation, "anna bob in anna bob",
        [0.2, 0.8, 0, 0, 0], [0, 0.2, 0.6, 0.2, 0], [0.9, 0.1, 0, 0, 0], [0.3, 0.5, 0, 0, 0.2], [0, 1, 0, 0, 0]);

    [Theory]
    [InlineData(SpanAggregation.Simple, "NAME 0-4 0.5, ENT 5-8 0.75")]
    [InlineData(SpanAggregation.First, "NAME 0-4 0.5, ENT 5-8 0.75")]
    public void WhatIsInsideOfNothingIsASpanTooAndAnotherTypeEndsOne(SpanAggregation aggregation, string expected) => Compare(expected, aggregation, "anna bob", [0.25, 0, 0.25, 0, 0.5], [0.25, 0, 0.75, 0, 0]);

    // "xyz" is unknown: a token of its own, whose tag is not the word's before it.
    [Theory]
    [InlineData(SpanAggregation.First, "ENT 0-5 0.5, NAME 5-6 0.75, ENT 6-9 1")]
    [InlineData(SpanAggregation.Max, "ENT 0-5 0.5, NAME 5-6 0.75, ENT 6-9 1")]
    public void AnUnknownTokenIsNeverInsideAWord(SpanAggregation aggregation, string expected) => Compare(expected, aggregation, "micro-xyz", [0.25, 0.5, 0.25, 0, 0], [0.25, 0, 0, 0, 0.75], [0, 0, 1, 0, 0]);

    private void Compare(string expected, SpanAggregation aggregation, string text, params double[][] probabilities)
    {
        PlacedInput input = tokenizer.EncodePlaced(text);
        Assert.Equal(probabilities.Length + 2, input.Ids.Length);
        // The special tokens' logits count for nothing.
        float[] special = [0, 9, 0, 0, 0];
        float[] logits = [.. special, .. probabilities.SelectMany(row => row).Select(value => (float)Math.Log(value)), .. special];
        IReadOnlyList<EntitySpan> spans = new SpanAggregator(tokenizer, Names, aggregation).Of(text, input, logits);
        Assert.Equal(expected, string.Join(", ", spans.Select(span => FormattableString.Invariant($"{span.Label} {span.Start}-{span.End} {Math.Round(span.Score, 5)}"))));
        Assert.All(spans, span => Assert.Equal(text[span.Start..span.End], span.Text));
    }
}
