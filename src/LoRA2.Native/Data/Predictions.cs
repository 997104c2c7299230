namespace LoRA2.Native.Data;

/// <summary>What a model says of examples beside what is true of them: all that a <see cref="Metric"/> can ask for.</summary>
public sealed class Predictions
{
    private readonly float[][]? logits;
    private readonly int[] classes = [];
    private readonly int[] labels = [];
    private readonly double[] scores = [];
    private readonly double[] targets = [];
    private readonly LabelSets? sets;
    private readonly TagSequences? tags;
    private readonly Rankings? rankings;

    private Predictions(int[] classes, int[] labels, float[][]? logits)
    {
        Require(classes.Length, labels.Length);
        (this.classes, this.labels, this.logits, Count) = (classes, labels, logits, classes.Length);
    }

    private Predictions(double[] scores, double[] targets)
    {
        Require(scores.Length, targets.Length);
        (this.scores, this.targets, Kind, Count) = (scores, targets, MetricInput.Scores, scores.Length);
    }

    private Predictions(LabelSets sets)
    {
        Require(sets.Count, sets.Count);
        (this.sets, Kind, Count) = (sets, MetricInput.LabelSets, sets.Count);
    }

    private Predictions(TagSequences tags)
    {
        Require(tags.Count, tags.Count);
        (this.tags, Kind, Count) = (tags, MetricInput.Tags, tags.Count);
    }

    private Predictions(Rankings rankings) => (this.rankings, Kind, Count) = (rankings, MetricInput.Rankings, rankings.Count);

    private Predictions(double[] sums, double[] terms, MetricInput kind)
    {
        Require(sums.Length, terms.Length);
        (MeanLoss, Kind, Count) = (terms.Sum() is var all and > 0 ? sums.Sum() / all : double.NaN, kind, sums.Length);
    }

    /// <summary>The mean of all terms of all losses; 0 for other predictions.</summary>
    public double MeanLoss { get; }

    /// <summary>What was predicted.</summary>
    public MetricInput Kind { get; }

    /// <summary>Number of examples.</summary>
    public int Count { get; }

    /// <summary>The class predicted of each example; empty for scores.</summary>
    public ReadOnlySpan<int> Classes => classes;

    /// <summary>The true class of each example; empty for scores.</summary>
    public ReadOnlySpan<int> Labels => labels;

    /// <summary>The number predicted of each example; empty for classes.</summary>
    public ReadOnlySpan<double> Scores => scores;

    /// <summary>The true number of each example; empty for classes.</summary>
    public ReadOnlySpan<double> Targets => targets;

    /// <summary>The sets of labels.</summary>
    /// <exception cref="InvalidOperationException">Something else was predicted.</exception>
    public LabelSets Sets => sets ?? throw new InvalidOperationException($"{Kind} were predicted, not sets of labels");

    /// <summary>The tags of words.</summary>
    /// <exception cref="InvalidOperationException">Something else was predicted.</exception>
    public TagSequences Tags => tags ?? throw new InvalidOperationException($"{Kind} were predicted, not tags");

    /// <summary>The order of queries' documents.</summary>
    /// <exception cref="InvalidOperationException">Something else was predicted.</exception>
    public Rankings Rankings => rankings ?? throw new InvalidOperationException($"{Kind} were predicted, not rankings");

    /// <summary>Logits of a classifier with the true classes.</summary>
    /// <param name="logits">[examples][labels]; the class predicted is the first of the largest.</param>
    /// <param name="labels">The true class of each example.</param>
    /// <exception cref="ArgumentException">There is no example, or not as many logits as labels.</exception>
    public static Predictions OfLogits(float[][] logits, int[] labels)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        return new(Array.ConvertAll(logits, Largest), labels, logits);
    }

    /// <summary>Classes with the true ones, where no logits are known.</summary>
    /// <exception cref="ArgumentException">There is no example, or not as many classes as labels.</exception>
    public static Predictions OfClasses(int[] classes, int[] labels)
    {
        ArgumentNullException.ThrowIfNull(classes);
        ArgumentNullException.ThrowIfNull(labels);
        return new(classes, labels, null);
    }

    /// <summary>Numbers with the true ones.</summary>
    /// <exception cref="ArgumentException">There is no example, or not as many scores as targets.</exception>
    public static Predictions OfScores(double[] scores, double[] targets)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(targets);
        return new(scores, targets);
    }

    /// <summary>Sets of labels with the true ones.</summary>
    /// <exception cref="ArgumentException">There is no example.</exception>
    public static Predictions OfLabelSets(LabelSets sets)
    {
        ArgumentNullException.ThrowIfNull(sets);
        return new(sets);
    }

    /// <summary>Tags of words with the true ones.</summary>
    /// <exception cref="ArgumentException">There is no text.</exception>
    public static Predictions OfTags(TagSequences tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        return new(tags);
    }

    /// <summary>The order of queries' documents.</summary>
    public static Predictions OfRankings(Rankings rankings)
    {
        ArgumentNullException.ThrowIfNull(rankings);
        return new(rankings);
    }

    /// <summary>Sums of losses with the numbers of their terms.</summary>
    /// <exception cref="ArgumentException">There is no example, or not as many sums as numbers.</exception>
    public static Predictions OfLosses(double[] sums, double[] terms)
    {
        ArgumentNullException.ThrowIfNull(sums);
        ArgumentNullException.ThrowIfNull(terms);
        return new(sums, terms, MetricInput.Losses);
    }

    /// <summary>The probability of every class for one example: the softmax of its logits.</summary>
    /// <exception cref="InvalidOperationException">These predictions have no logits.</exception>
    public double[] Probabilities(int example)
    {
        if (logits is null) throw new InvalidOperationException("these predictions have no logits, and so no probabilities");
        return Softmax(logits[example]);
    }

    internal static double[] Softmax(float[] row)
    {
        double largest = row.Max();
        double[] probabilities = Array.ConvertAll(row, logit => Math.Exp(logit - largest));
        double sum = probabilities.Sum();
        for (int i = 0; i < probabilities.Length; i++) probabilities[i] /= sum;
        return probabilities;
    }

    /// <summary>The index of the largest logit; the first of equals.</summary>
    internal static int Largest(float[] logits)
    {
        int best = 0;
        for (int i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best]) best = i;
        }

        return best;
    }

    private static void Require(int predicted, int actual)
    {
        if (predicted != actual || predicted == 0)
            throw new ArgumentException($"{predicted} predictions for {actual} true values, expected as many and at least one.");
    }
}
