using LoRA2.Native.Data;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Inference;

/// <summary>How tokens' tags become spans: HuggingFace's <c>aggregation_strategy</c>.</summary>
public enum SpanAggregation
{
    /// <summary>Each token is a span, its label the whole tag.</summary>
    None,

    /// <summary>Tokens of one type that follow each other are a span, unless one begins with B-.</summary>
    Simple,

    /// <summary>As <see cref="Simple"/>, of words: a word has the tag of its first token.</summary>
    First,

    /// <summary>As <see cref="Simple"/>, of words: a word has the tag whose probability is the highest on average over its tokens.</summary>
    Average,

    /// <summary>As <see cref="Simple"/>, of words: a word has the tag of its surest token.</summary>
    Max,
}

/// <summary>
/// Makes spans of tokens' logits by the rules of HuggingFace's TokenClassificationPipeline. Beyond them E- and S- mean what they mean in BIOES, and a span has no white space at its ends, which
/// tokens' own places may have.
/// </summary>
internal sealed class SpanAggregator(Tokenizer tokenizer, IReadOnlyList<string> names, SpanAggregation aggregation)
{
    private readonly bool hasContinuations = tokenizer.ContinuationPrefix is not null;

    public IReadOnlyList<EntitySpan> Of(string text, PlacedInput input, float[] logits)
    {
        var words = new List<Tagged>();
        var group = new List<(double[] Scores, int Start, int End)>();
        void Close()
        {
            if (group.Count > 0) words.Add(Word(group));
            group.Clear();
        }

        for (int i = 0; i < input.Ids.Length; i++)
        {
            TokenPlace place = input.Places[i];
            if (place.IsSpecial) continue;
            double[] scores = Predictions.Softmax(logits[(i * names.Count)..((i + 1) * names.Count)]);
            bool joins = aggregation is SpanAggregation.First or SpanAggregation.Average or SpanAggregation.Max && IsInsideAWord(text, input, i);
            if (!joins) Close();
            group.Add((scores, place.Start, place.End));
        }

        Close();
        return aggregation == SpanAggregation.None ? [.. words.Where(word => word.Tag != EntityTags.Outside).Select(word => Span(text, word.Tag, [word]))] : Grouped(text, words);
    }

    private static EntitySpan Span(string text, string label, IReadOnlyList<Tagged> words)
    {
        (int start, int end) = TaggedDataset.Trimmed(text, words[0].Start, words[^1].End);
        return new EntitySpan(label, words.Average(word => word.Score), start, end, text[start..end]);
    }

    private static (char Prefix, string Type) Split(string tag) => tag.Length > 2 && tag[1] == '-' && tag[0] is 'B' or 'I' or 'E' or 'S' ? (tag[0], tag[2..]) : ('I', tag);

    private static List<EntitySpan> Grouped(string text, List<Tagged> words)
    {
        var spans = new List<EntitySpan>();
        for (int i = 0; i < words.Count;)
        {
            int first = i++;
            (char last, string type) = Split(words[first].Tag);
            while (i < words.Count && last is not ('E' or 'S') && Split(words[i].Tag) is var next && next.Type == type && next.Prefix is not ('B' or 'S')) last = Split(words[i++].Tag).Prefix;
            if (words[first].Tag != EntityTags.Outside) spans.Add(Span(text, type, words[first..i]));
        }

        return spans;
    }

    private Tagged Word(List<(double[] Scores, int Start, int End)> tokens)
    {
        double[] scores = aggregation switch
        {
            SpanAggregation.Max => tokens.MaxBy(token => token.Scores.Max()).Scores,
            SpanAggregation.Average => [.. Enumerable.Range(0, names.Count).Select(label => tokens.Average(token => token.Scores[label]))],
            _ => tokens[0].Scores,
        };
        int best = Array.IndexOf(scores, scores.Max());
        return new Tagged(names[best], scores[best], tokens[0].Start, tokens[^1].End);
    }

    /// <summary>A token with a prefix for the inside of words, such as ##, says so itself; of the others it is guessed from the spaces.</summary>
    private bool IsInsideAWord(string text, PlacedInput input, int token)
    {
        TokenPlace place = input.Places[token];
        if (input.Ids[token] == tokenizer.UnkId) return false;
        return hasContinuations ? input.Tokens[token].Length != place.End - place.Start : place.Start > 0 && !text.AsSpan(place.Start - 1, Math.Min(2, text.Length - place.Start + 1)).Contains(' ');
    }

    private readonly record struct Tagged(string Tag, double Score, int Start, int End);
}
