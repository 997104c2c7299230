using LoRA2.Native.Data;

namespace LoRA2.Native.Tests.Data;

/// <summary>Entities as seqeval 1.2.2 counts them; the first cases are those of its own README.</summary>
public class EntityTagsTests
{
    [Fact]
    public void TheScoresOfSeqevalsReadme()
    {
        TagSequences tags = Of(
            [["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]],
            [["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]);
        Assert.Equal(0.5, tags.Score(isStrict: false).F1, 12);
        Assert.Equal(0.8, tags.Accuracy(), 12);
    }

    [Fact]
    public void StrictModeKnowsNothingThatBeginsInside()
    {
        // seqeval: f1_score of these is 1 by default; in strict mode with IOB2 the entity that begins with I- is none.
        TagSequences tags = Of([["I-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "O", "B-LOC"]]);
        Assert.Equal(new EntityScore(2, 2, 2), tags.Score(isStrict: false));
        Assert.Equal(new EntityScore(2, 1, 1), tags.Score(isStrict: true));
    }

    [Fact]
    public void EndsCloseEntities()
    {
        string[] tags = ["S-PER", "E-PER", "B-LOC", "I-LOC", "E-LOC", "B-LOC", "O", "I-ORG", "I-PER"];
        Assert.Equal([("PER", 0, 0), ("PER", 1, 1), ("LOC", 2, 4), ("LOC", 5, 5), ("ORG", 7, 7), ("PER", 8, 8)], EntityTags.Lenient(tags));
        Assert.Equal([("PER", 0, 0), ("LOC", 2, 4)], EntityTags.Strict(tags, hasEnds: true));
        Assert.Equal([("LOC", 2, 3), ("LOC", 5, 5)], EntityTags.Strict(tags, hasEnds: false));
    }

    [Fact]
    public void SchemesAreKnownByTheirTags()
    {
        Assert.Same(TagScheme.Bio, TagScheme.Of(["O", "B-PER", "I-PER"]));
        Assert.Same(TagScheme.Bioes, TagScheme.Of(["O", "S-PER"]));
        Assert.Same(TagScheme.Plain, TagScheme.Of(["NOUN", "VERB"]));
        Assert.Same(TagScheme.Plain, TagScheme.Of(["O"]));
        Assert.Same(TagScheme.Bio, TagScheme.Of(["O", "B-PER", "X-PER", "iper"]));
        string[] tags = ["I-PER", "I-PER", "B-PER", "O", "I-LOC", "I-PER"];
        TagScheme.ToBio(tags);
        Assert.Equal(["B-PER", "I-PER", "B-PER", "O", "B-LOC", "B-PER"], tags);
        Assert.Null(TagScheme.Bio.WhatIsWrong(tags));
    }

    private static TagSequences Of(string[][] predicted, string[][] actual) => new([.. predicted], [.. actual]);
}
