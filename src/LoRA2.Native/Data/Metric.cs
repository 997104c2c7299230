namespace LoRA2.Native.Data;

/// <summary>What a metric compares.</summary>
public enum MetricInput
{
    /// <summary>The classes predicted and true; the probabilities of all classes are there too.</summary>
    Classes,

    /// <summary>The numbers predicted and true, of a regression.</summary>
    Scores,

    /// <summary>The sets of labels predicted and true, and the labels' probabilities.</summary>
    LabelSets,

    /// <summary>The tags predicted and true of the words of every text.</summary>
    Tags,

    /// <summary>The sums of losses, and how many terms each is of.</summary>
    Losses,

    /// <summary>The order of each query's documents, and how relevant each is.</summary>
    Rankings,
}

/// <summary>
/// What predictions are scored by. A metric is one object and one line in <see cref="Data.Metrics"/>; the trainer, the files, the command line and the reports know
/// metrics by this class alone. One of your own is made with <see cref="OfClasses"/> or <see cref="OfScores"/>, or derives from this class where it needs more, and is
/// added with <see cref="Data.Metrics.Register"/>.
/// </summary>
/// <example><code>
/// Metric recall = Metric.OfClasses("recall", (predicted, actual) => …);
/// Metrics.Register(recall);     // task.json can name it from here on
/// </code></example>
public abstract class Metric
{
    /// <summary>Names a metric.</summary>
    /// <param name="name">The name in reports and in <c>task.json</c>: lower case, without spaces, commas and quotes.</param>
    /// <param name="input">What it compares.</param>
    /// <exception cref="ArgumentException">The name is empty or has another character.</exception>
    protected Metric(string name, MetricInput input)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '-'))
            throw new ArgumentException($"a metric is named '{name}'; lower-case letters, digits, '_' and '-' were expected", nameof(name));
        Name = name;
        Input = input;
    }

    /// <summary>The share of classes predicted right, 0 to 1.</summary>
    public static Metric Accuracy { get; } = OfClasses("accuracy", MetricFormulas.Accuracy);

    /// <summary>The harmonic mean of precision and recall of class 1, 0 to 1; every other class counts as negative. 0 when nothing is positive, predicted or true.</summary>
    public static Metric F1 { get; } = Classes("f1", MetricFormulas.F1, UndefinedMetrics.F1);

    /// <summary>Matthews correlation of the classes predicted and true, −1 to 1, for any number of classes (Gorodkin 2004). 0 when either side is one class only.</summary>
    public static Metric Matthews { get; } = Classes("matthews", MetricFormulas.Matthews, UndefinedMetrics.Matthews);

    /// <summary>Pearson correlation of the scores predicted and true, −1 to 1; 0 when either side is constant.</summary>
    public static Metric Pearson { get; } = Scores("pearson", MetricFormulas.Pearson, UndefinedMetrics.Pearson);

    /// <summary>Spearman rank correlation of the scores predicted and true, −1 to 1, equal values sharing the mean of their ranks; 0 when either side is constant.</summary>
    public static Metric Spearman { get; } = Scores("spearman", MetricFormulas.Spearman, UndefinedMetrics.Spearman);

    /// <summary>The mean squared difference of the scores predicted and true; less is better.</summary>
    public static Metric MeanSquaredError { get; } = OfScores("mse", MetricFormulas.MeanSquaredError, lowerIsBetter: true);

    /// <summary>The mean over queries of 1 / the place of its own text among those that were searched, 0 beyond the tenth (MRR@10).</summary>
    public static Metric ReciprocalRank { get; } = OfScores("mrr_10", RankFormulas.ReciprocalRank);

    /// <summary>The mean over queries of 1 / log₂(1 + that place), 0 beyond the tenth (nDCG@10).</summary>
    public static Metric DiscountedGain { get; } = OfScores("ndcg_10", RankFormulas.DiscountedGain);

    /// <summary>The share of queries that find their own text first.</summary>
    public static Metric RecallAt1 { get; } = OfScores("recall_1", RankFormulas.RecallAt1);

    /// <summary>The share of queries that find it among the first ten.</summary>
    public static Metric RecallAt10 { get; } = OfScores("recall_10", RankFormulas.RecallAt10);

    /// <summary>The mean over queries of 1 / the place of the first relevant document among the query's own, 0 beyond the tenth (MRR@10).</summary>
    public static Metric QueryReciprocalRank { get; } = OfRankings("query_mrr_10", rankings => rankings.ReciprocalRank());

    /// <summary>The mean over queries of the discounted gain of their first ten documents, as a part of the best that could be (nDCG@10).</summary>
    public static Metric QueryDiscountedGain { get; } = OfRankings("query_ndcg_10", rankings => rankings.DiscountedGain());

    /// <summary>The mean over queries of the mean precision at the places of their relevant documents (MAP).</summary>
    public static Metric QueryAveragePrecision { get; } = OfRankings("query_map", rankings => rankings.AveragePrecision());

    /// <summary>2·TP / (2·TP + FP + FN) over all labels of all examples together, 0 to 1; 0 when nothing is true or predicted.</summary>
    public static Metric MicroF1 { get; } = Sets("micro_f1", LabelSetFormulas.MicroF1, UndefinedMetrics.MicroF1);

    /// <summary>The mean of each label's F1, 0 to 1; 0 for a label that is neither true nor predicted anywhere.</summary>
    public static Metric MacroF1 { get; } = Sets("macro_f1", LabelSetFormulas.MacroF1, UndefinedMetrics.MacroF1);

    /// <summary>
    /// The mean over labels of the average precision, Σ (Rₙ − Rₙ₋₁) Pₙ over the thresholds from the highest down, 0 to 1: that of scikit-learn, over the labels that some example has.
    /// </summary>
    public static Metric AveragePrecision { get; } = Sets("average_precision", LabelSetFormulas.AveragePrecision, UndefinedMetrics.AveragePrecision);

    /// <summary>The share of examples whose labels are predicted all and no others, 0 to 1.</summary>
    public static Metric ExactMatch { get; } = OfLabelSets("exact_match", LabelSetFormulas.ExactMatch);

    /// <summary>2·TP / (2·TP + FP + FN) of whole entities, as seqeval counts them by default: what begins with I- after another type is an entity too. 0 when there is none.</summary>
    public static Metric EntityF1 { get; } = OfEntities("entity_f1", isStrict: false, score => score.F1, UndefinedMetrics.EntityF1);

    /// <summary>The share of the predicted entities that are right, as seqeval counts them by default.</summary>
    public static Metric EntityPrecision { get; } = OfEntities("entity_precision", isStrict: false, score => score.Precision, UndefinedMetrics.EntityPrecision);

    /// <summary>The share of the true entities that were found, as seqeval counts them by default.</summary>
    public static Metric EntityRecall { get; } = OfEntities("entity_recall", isStrict: false, score => score.Recall, UndefinedMetrics.EntityRecall);

    /// <summary>F1 of whole entities as seqeval counts them in its strict mode: only what is tagged by the rules of BIO, or of BIOES where E- or S- occurs, is one.</summary>
    public static Metric StrictEntityF1 { get; } = OfEntities("strict_entity_f1", isStrict: true, score => score.F1, UndefinedMetrics.EntityF1);

    /// <summary>The share of words whose tag is right.</summary>
    public static Metric TagAccuracy { get; } = new Whole("tag_accuracy", MetricInput.Tags, predictions => predictions.Tags.Accuracy()) { Why = predictions => UndefinedMetrics.TagAccuracy(predictions.Tags) };

    /// <summary>e to the mean loss of all hidden tokens; less is better, and as many as the vocabulary has words is guessing.</summary>
    public static Metric Perplexity { get; } = new Whole("perplexity", MetricInput.Losses, predictions => Math.Exp(predictions.MeanLoss), lowerIsBetter: true);

    /// <summary>The name in reports and in <c>task.json</c>.</summary>
    public string Name { get; }

    /// <summary>What it compares.</summary>
    public MetricInput Input { get; }

    /// <summary>Whether less is better: of an error, not of a score.</summary>
    public virtual bool LowerIsBetter => false;

    /// <summary>The value.</summary>
    /// <param name="predictions">The predictions, at least one, of the kind that <see cref="Input"/> asks for.</param>
    public abstract double Compute(Predictions predictions);

    /// <summary>Why the value is undefined for these predictions, and what was taken in its place, as the end of a sentence; null where it is defined.</summary>
    /// <param name="predictions">As for <see cref="Compute"/>.</param>
    public virtual string? WhyUndefined(Predictions predictions) => null;

    /// <summary>What a metric compares, in words.</summary>
    internal static string Words(MetricInput input) => input switch { MetricInput.LabelSets => "sets of labels", _ => input.ToString().ToLowerInvariant() };

    /// <summary>Whether a value is better than another one. A value that is no number is worse than every other.</summary>
    public bool IsBetter(double value, double than)
    {
        if (double.IsNaN(value) || double.IsNaN(than)) return !double.IsNaN(value);
        return LowerIsBetter ? value < than : value > than;
    }

    /// <summary>A metric of the classes predicted and true.</summary>
    /// <exception cref="ArgumentException">The name has a character that names don't have.</exception>
    public static Metric OfClasses(string name, MetricFormula<int> formula, bool lowerIsBetter = false)
    {
        ArgumentNullException.ThrowIfNull(formula);
        return Classes(name, formula, lowerIsBetter: lowerIsBetter);
    }

    /// <summary>A metric of the numbers predicted and true.</summary>
    /// <exception cref="ArgumentException">The name has a character that names don't have.</exception>
    public static Metric OfScores(string name, MetricFormula<double> formula, bool lowerIsBetter = false)
    {
        ArgumentNullException.ThrowIfNull(formula);
        return Scores(name, formula, lowerIsBetter: lowerIsBetter);
    }

    /// <summary>A metric of sets of labels.</summary>
    /// <exception cref="ArgumentException">The name has a character that names don't have.</exception>
    public static Metric OfLabelSets(string name, Func<LabelSets, double> formula, bool lowerIsBetter = false)
    {
        ArgumentNullException.ThrowIfNull(formula);
        return Sets(name, formula, lowerIsBetter: lowerIsBetter);
    }

    /// <summary>A metric of tags of words.</summary>
    /// <exception cref="ArgumentException">The name has a character that names don't have.</exception>
    public static Metric OfTags(string name, Func<TagSequences, double> formula, bool lowerIsBetter = false)
    {
        ArgumentNullException.ThrowIfNull(formula);
        return new Whole(name, MetricInput.Tags, predictions => formula(predictions.Tags), lowerIsBetter);
    }

    /// <summary>A metric of the order of queries' documents.</summary>
    /// <exception cref="ArgumentException">The name has a character that names don't have.</exception>
    public static Metric OfRankings(string name, Func<Rankings, double> formula, bool lowerIsBetter = false)
    {
        ArgumentNullException.ThrowIfNull(formula);
        return new Whole(name, MetricInput.Rankings, predictions => formula(predictions.Rankings), lowerIsBetter);
    }

    /// <inheritdoc/>
    public sealed override string ToString() => Name;

    private static Formula<int> Classes(string name, MetricFormula<int> formula, Reason<int>? why = null, bool lowerIsBetter = false) =>
        new(name, MetricInput.Classes, formula, predictions => predictions.Classes, predictions => predictions.Labels, lowerIsBetter) { Why = why };

    private static Formula<double> Scores(string name, MetricFormula<double> formula, Reason<double>? why = null, bool lowerIsBetter = false) =>
        new(name, MetricInput.Scores, formula, predictions => predictions.Scores, predictions => predictions.Targets, lowerIsBetter) { Why = why };

    private static Whole Sets(string name, Func<LabelSets, double> formula, Func<LabelSets, string?>? why = null, bool lowerIsBetter = false) =>
        new(name, MetricInput.LabelSets, predictions => formula(predictions.Sets), lowerIsBetter) { Why = why is null ? null : predictions => why(predictions.Sets) };

    private static Whole OfEntities(string name, bool isStrict, Func<EntityScore, double> formula, Func<EntityScore, string?> why) =>
        new(name, MetricInput.Tags, predictions => formula(predictions.Tags.Score(isStrict))) { Why = predictions => why(predictions.Tags.Score(isStrict)) };

    private sealed class Whole(string name, MetricInput input, Func<Predictions, double> formula, bool lowerIsBetter = false) : Metric(name, input)
    {
        public Func<Predictions, string?>? Why { get; init; }

        public override bool LowerIsBetter => lowerIsBetter;

        public override double Compute(Predictions predictions) => formula(predictions);

        public override string? WhyUndefined(Predictions predictions) => Why?.Invoke(predictions);
    }

    private delegate ReadOnlySpan<T> Part<T>(Predictions predictions);

    private delegate string? Reason<T>(ReadOnlySpan<T> predicted, ReadOnlySpan<T> actual);

    private sealed class Formula<T>(string name, MetricInput input, MetricFormula<T> formula, Part<T> predicted, Part<T> actual, bool lowerIsBetter = false) : Metric(name, input)
    {
        public Reason<T>? Why { get; init; }

        public override bool LowerIsBetter => lowerIsBetter;

        public override double Compute(Predictions predictions) => formula(predicted(predictions), actual(predictions));

        public override string? WhyUndefined(Predictions predictions) => Why?.Invoke(predicted(predictions), actual(predictions));
    }
}

/// <summary>A metric of two lists of one length, at least 1.</summary>
/// <param name="predicted">What was predicted of each example.</param>
/// <param name="actual">What is true of each.</param>
public delegate double MetricFormula<T>(ReadOnlySpan<T> predicted, ReadOnlySpan<T> actual);
