namespace LoRA2.Native.Data;

/// <summary>One metric's value.</summary>
/// <param name="Name">The metric's name in reports.</param>
/// <param name="Value">The value; <see cref="Metric.LowerIsBetter"/> says which way is better.</param>
public readonly record struct MetricValue(string Name, double Value)
{
    /// <summary>Why the value is a number by convention alone, as the end of a sentence: there was nothing to divide by; null where it was computed.</summary>
    public string? Note { get; init; }
}

/// <summary>How good predictions are: the metrics of a task, the primary one first.</summary>
public sealed class Evaluation
{
    private Evaluation(MetricValue[] values) => Values = values;

    /// <summary>The metrics in the order asked for.</summary>
    public IReadOnlyList<MetricValue> Values { get; }

    /// <summary>The metric that chooses the best checkpoint.</summary>
    public MetricValue Primary => Values[0];

    /// <summary>What is to be known of metrics that are undefined here, each a sentence.</summary>
    public IEnumerable<string> Notes => NotesOf(Values);

    /// <summary>What is to be known of the undefined ones of some metrics, each a sentence.</summary>
    public static IEnumerable<string> NotesOf(IEnumerable<MetricValue> metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        return metrics.Where(metric => metric.Note is not null).Select(metric => $"{metric.Name}: {metric.Note}");
    }

    /// <summary>These metrics, then those on other data, their names with a prefix.</summary>
    public Evaluation With(string prefix, Evaluation other)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentNullException.ThrowIfNull(other);
        return new([.. Values, .. other.Values.Select(metric => metric with { Name = prefix + metric.Name })]);
    }

    /// <summary>Values that were computed elsewhere.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static Evaluation Of(IReadOnlyList<MetricValue> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return values.Count > 0 ? new([.. values]) : throw new ArgumentException("an evaluation has at least one value", nameof(values));
    }

    /// <summary>The same under other names.</summary>
    public Evaluation Renamed(Func<string, string> name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new([.. Values.Select(value => value with { Name = name(value.Name) })]);
    }

    /// <summary>Scores predictions.</summary>
    /// <param name="metrics">The metrics, the primary one first.</param>
    /// <param name="predictions">The predictions and what is true.</param>
    /// <exception cref="ArgumentException">A metric is of classes and the predictions of scores, or the other way round.</exception>
    public static Evaluation Of(IReadOnlyList<Metric> metrics, Predictions predictions)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentNullException.ThrowIfNull(predictions);
        foreach (Metric metric in metrics)
        {
            if (metric.Input != predictions.Kind)
                throw new ArgumentException($"metric {metric} compares {Metric.Words(metric.Input)}; {Metric.Words(predictions.Kind)} were predicted", nameof(metrics));
        }

        return new Evaluation([.. metrics.Select(metric => new MetricValue(metric.Name, metric.Compute(predictions)) { Note = metric.WhyUndefined(predictions) })]);
    }
}
