using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Data.Tagging;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tasks.Kinds;

/// <summary>
/// A tag each word, as HuggingFace's <c>…ForTokenClassification</c>: cross-entropy of every word's first token, or of all its tokens, and −100, which does not count, at the others.
/// </summary>
public sealed record TokenTask : TaskKind
{
    private const int Ignored = -100;

    /// <inheritdoc/>
    public override string Name => "tokens";

    /// <inheritdoc/>
    public override string Title => "a tag each word";

    /// <inheritdoc/>
    public override MetricInput Input => MetricInput.Tags;

    /// <inheritdoc/>
    public override int LeastLabels => 2;

    /// <inheritdoc/>
    public override string ClassEnding => "ForTokenClassification";

    /// <inheritdoc/>
    public override bool IsSaidByClass => true;

    /// <inheritdoc/>
    public override bool AnswersTexts => false;

    /// <inheritdoc/>
    public override string PeftTaskType => "TOKEN_CLS";

    /// <summary>Whether all tokens of a word have its tag in training, not the first alone. What follows an entity's first token is then inside of it.</summary>
    public bool LabelsAllTokens { get; init; }

    /// <summary>How the data's tags are to be read, and spans' tags are made; null: by the tags, and BIO for spans.</summary>
    public TagScheme? Scheme { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<TaskOption> Options { get; } =
    [
        TaskOption.Choice<TokenTask>("label-tokens", "tokens: which tokens of a word have its tag in training [first]", (kind, text) => kind with { LabelsAllTokens = text == "all" }, "first", "all"),
        TaskOption.Choice<TokenTask>(
            "tag-scheme", "tokens: how tags say where an entity begins; bio is also called IOB2 [by the tags; bio for spans]", (kind, text) => kind with { Scheme = TagScheme.All.First(scheme => scheme.Name == text) },
            [.. TagScheme.All.Select(scheme => scheme.Name)]),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> MetricsFor(int labels) => [Metric.EntityF1, Metric.EntityPrecision, Metric.EntityRecall, Metric.StrictEntityF1, Metric.TagAccuracy];

    /// <summary>CoNLL columns; lists of words and tags; or texts with spans.</summary>
    public override Dataset Read(Table table, DatasetOptions options) => new TaggedTable(table, options, Scheme).Read();

    /// <inheritdoc/>
    public override TokenizedDataset Tokenize(string name, IReadOnlyList<Example> examples, Tokenizer tokenizer, EncoderConfig config, int maxLength)
    {
        var tokenized = new TokenizedExamples(name, config);
        (List<int[]> firsts, List<int[]?> tags) = ([], []);
        var doubts = new SpanDoubts(name);
        foreach (Example example in examples)
        {
            PlacedInput input = example.Words is { } list ? tokenizer.EncodeWords(list, maxLength) : tokenizer.EncodePlaced(example.Text, null, maxLength);
            tokenized.Ids.AddRange(input.Ids);
            tokenized.TypeIds.AddRange(input.TypeIds);
            List<(int Token, int Start, int End)> places = [];
            (int[] first, int[] wordOf) = example.Words is { } words ? FirstOf(input, words.Count) : FirstOf(example.Text, input, out places);
            int kept = example.Words is null ? places.Count : Array.FindLastIndex(first, token => token >= 0) + 1;
            if (input.IsCut && example.Spans is { Count: > 0 })
            {
                // Words beyond the cut have tags too, as they have where words are given: what a model was not shown it missed.
                places = TaggedDataset.WordsOf(example.Text, tokenizer.EncodePlaced(example.Text));
                first = [.. places.Select((_, word) => word < kept ? first[word] : -1)];
            }

            int[]? own = example.Words is not null ? example.Targets?.Select(tag => (int)tag).ToArray() : example.Spans is not null ? TagsOf(example, places, config.LabelNames!, doubts) : null;
            if (input.IsCut && own is not null && config.LabelNames is { } names) doubts.Cut(example, [.. own.Select(tag => names[tag])], places, kept);
            firsts.Add(first);
            tags.Add(own);
            tokenized.Close(input.IsCut, own is null ? null : Labels(wordOf, first, own, config.LabelNames));
        }

        return new TaggedDataset(tokenized, firsts, tags) { Notes = doubts.Notes };
    }

    /// <inheritdoc/>
    public override string ClassifierOf(EncoderConfig config) => TokenHead.Name;

    /// <inheritdoc/>
    public override EncoderHead CreateHead(EncoderConfig config, ParameterSource source) => config.CreateTokenHead(source);

    /// <summary>[batch, length] Int32 tags; −100 where none counts.</summary>
    public override Tensor Targets(TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, BatchDraw? draw)
    {
        Tensor targets = Tensor.Full([rows.Length, inputs.Length], Ignored, DType.Int32);
        for (int row = 0; row < rows.Length; row++)
        {
            Span<int> into = targets.AsSpan<int>()[(row * inputs.Length)..];
            ReadOnlySpan<float> own = data.TargetsOf(rows[row]);
            for (int i = 0; i < own.Length; i++) into[i] = (int)own[i];
        }

        return targets;
    }

    /// <inheritdoc/>
    public override double Terms(TokenizedDataset data, ReadOnlySpan<int> rows, BatchDraw? draw)
    {
        int terms = 0;
        foreach (int row in rows)
        {
            foreach (float target in data.TargetsOf(row)) terms += target >= 0 ? 1 : 0;
        }

        return terms;
    }

    /// <summary>The mean cross-entropy of logits [batch, length, tags] over the tokens whose tag [batch, length] is not negative.</summary>
    public override Tensor Loss(Tensor output, Tensor targets)
    {
        using var scope = new Tensors.Memory.TensorScope();
        return scope.Keep(Ops.CrossEntropy(Ops.Reshape(output, targets.Count, output.Shape[^1]), Ops.Reshape(targets, targets.Count)));
    }

    /// <summary>Keeps the logits of the example's own tokens, one after the other.</summary>
    public override void Keep(Tensor output, TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, float[][] answers)
    {
        int labels = output.Shape[^1];
        for (int row = 0; row < rows.Length; row++) answers[rows[row]] = output.AsSpan<float>().Slice(row * inputs.Length * labels, data.Length(rows[row]) * labels).ToArray();
    }

    /// <summary>Compares words' tags by their first tokens. A word that was cut off counts as one that the model puts into no entity.</summary>
    public override Evaluation Score(float[][] answers, TokenizedDataset data, IReadOnlyList<Metric> metrics, IReadOnlyList<string>? labelNames) =>
        Evaluation.Of(metrics, Data.Predictions.OfTags(Compared((TaggedDataset)data, labelNames!, (example, token) => Largest(answers[example], token, labelNames!.Count))));

    /// <summary>The tag of every token, one example's after the other's.</summary>
    public override float[] Predictions(float[][] answers)
    {
        // How many tags there are is not known here; the logits of a token are kept as they are.
        return [.. answers.SelectMany(row => row)];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<LabelScore> ByLabel(IReadOnlyList<float> predictions, TokenizedDataset development, IReadOnlyList<string> labelNames)
    {
        int[] starts = new int[development.Count + 1];
        for (int i = 0; i < development.Count; i++) starts[i + 1] = starts[i] + (development.Length(i) * labelNames.Count);
        int At(int example, int token)
        {
            int from = starts[example] + (token * labelNames.Count);
            return Enumerable.Range(0, labelNames.Count).MaxBy(label => predictions[from + label]);
        }

        TagSequences compared = Compared((TaggedDataset)development, labelNames, At);
        return [.. labelNames.Where(name => name != EntityTags.Outside).Select(name => EntityTags.Split(name).Type).Distinct().Select(type =>
        {
            EntityScore score = compared.Score(isStrict: false, type);
            return new LabelScore(type, score.Actual, score.Predicted, score.Right);
        })];
    }

    /// <inheritdoc/>
    public override TaskKind ReadSettings(ConfigFields fields, int labels) => this with { LabelsAllTokens = fields.OneOf("label_tokens", "first", ["first", "all"]) == "all" };

    /// <inheritdoc/>
    public override void WriteSettings(Utf8JsonWriter json) => json.WriteString("label_tokens", LabelsAllTokens ? "all" : "first");

    /// <summary>The largest logit's tag of a token.</summary>
    internal static int Largest(float[] logits, int token, int labels)
    {
        ReadOnlySpan<float> row = logits.AsSpan(token * labels, labels);
        int best = 0;
        for (int i = 1; i < labels; i++)
        {
            if (row[i] > row[best]) best = i;
        }

        return best;
    }

    private static (int[] First, int[] WordOf) FirstOf(PlacedInput input, int words)
    {
        int[] first = new int[words], wordOf = new int[input.Ids.Length];
        Array.Fill(first, -1);
        for (int i = 0; i < wordOf.Length; i++)
        {
            wordOf[i] = input.Places[i].Word;
            if (wordOf[i] >= 0 && first[wordOf[i]] < 0) first[wordOf[i]] = i;
        }

        return (first, wordOf);
    }

    private static (int[] First, int[] WordOf) FirstOf(string text, PlacedInput input, out List<(int Token, int Start, int End)> words)
    {
        words = TaggedDataset.WordsOf(text, input);
        int[] wordOf = new int[input.Ids.Length];
        Array.Fill(wordOf, -1);
        for (int word = 0; word < words.Count; word++)
        {
            int end = word + 1 < words.Count ? words[word + 1].Token : wordOf.Length;
            for (int i = words[word].Token; i < end; i++) wordOf[i] = input.Places[i].IsSpecial ? -1 : word;
        }

        return ([.. words.Select(word => word.Token)], wordOf);
    }

    /// <summary>Tags of the words that spans touch.</summary>
    private int[] TagsOf(Example example, List<(int Token, int Start, int End)> words, IReadOnlyList<string> names, SpanDoubts doubts)
    {
        TagScheme scheme = Scheme ?? TagScheme.Of(names);
        int outside = Math.Max(0, ((List<string>)[.. names]).IndexOf(EntityTags.Outside));
        int[] tags = new int[words.Count];
        Array.Fill(tags, outside);
        int next = 0;
        foreach (LabelledSpan span in example.Spans!)
        {
            while (next < words.Count && words[next].End <= span.Start) next++;
            int first = next;
            while (next < words.Count && words[next].Start < span.End) next++;
            if (next > first) doubts.Tagged(example, span, words[first].Start, words[next - 1].End);
            else doubts.Lost(example, span);
            for (int word = first; word < next; word++)
            {
                string tag = scheme.TagOf(span.Label, word == first, word == next - 1);
                for (int i = 0; i < names.Count; i++)
                {
                    if (names[i] == tag) tags[word] = i;
                }
            }
        }

        return tags;
    }

    /// <summary>The target of every token.</summary>
    private float[] Labels(int[] wordOf, int[] first, int[] tags, IReadOnlyList<string>? names)
    {
        float[] labels = new float[wordOf.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            int word = wordOf[i];
            labels[i] = word < 0 ? Ignored : i == first[word] ? tags[word] : LabelsAllTokens ? Inner(tags[word], names) : Ignored;
        }

        return labels;
    }

    /// <summary>The tag of a word's further tokens: B- becomes I-, where there is one.</summary>
    private static int Inner(int tag, IReadOnlyList<string>? names)
    {
        if (names is null || !names[tag].StartsWith("B-", StringComparison.Ordinal)) return tag;
        string inside = "I-" + names[tag][2..];
        for (int i = 0; i < names.Count; i++)
        {
            if (names[i] == inside) return i;
        }

        return tag;
    }

    private static TagSequences Compared(TaggedDataset data, IReadOnlyList<string> names, Func<int, int, int> tagAt)
    {
        string outside = names.Contains(EntityTags.Outside) ? EntityTags.Outside : "";
        IReadOnlyList<string>[] predicted = new IReadOnlyList<string>[data.Count], actual = new IReadOnlyList<string>[data.Count];
        for (int i = 0; i < data.Count; i++)
        {
            int example = i;
            predicted[i] = [.. data.FirstTokens(i).ToArray().Select(token => token < 0 ? outside : names[tagAt(example, token)])];
            actual[i] = [.. data.Tags(i).ToArray().Select(tag => names[tag])];
        }

        return new TagSequences(predicted, actual);
    }
}
