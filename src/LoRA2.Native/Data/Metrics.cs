using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>The registry of metrics, by the names that <c>task.json</c> and the reports have for them.</summary>
public static class Metrics
{
    private static readonly Lock Gate = new();

    private static Metric[] all =
    [
        Metric.Accuracy, Metric.F1, Metric.Matthews, Metric.Pearson, Metric.Spearman, Metric.MeanSquaredError, Metric.MicroF1, Metric.MacroF1, Metric.AveragePrecision, Metric.ExactMatch,
        Metric.ReciprocalRank, Metric.DiscountedGain, Metric.RecallAt1, Metric.RecallAt10,
        Metric.EntityF1, Metric.EntityPrecision, Metric.EntityRecall, Metric.StrictEntityF1, Metric.TagAccuracy, Metric.Perplexity,
        Metric.QueryDiscountedGain, Metric.QueryReciprocalRank, Metric.QueryAveragePrecision,
    ];

    /// <summary>All of them, in the order in which they were added.</summary>
    public static IReadOnlyList<Metric> All => all;

    /// <summary>The metric of that name in any case.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static Metric Named(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Of(name) ?? throw new InputException($"there is no metric {Quote.Name(name)}; there are {string.Join(", ", All)}");
    }

    /// <summary>The metric of that name in any case, or null.</summary>
    public static Metric? Of(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return All.FirstOrDefault(metric => string.Equals(metric.Name, name, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Adds a metric, so that a <c>task.json</c> can name it, from here on and on every thread.</summary>
    /// <exception cref="ArgumentException">There is a metric of that name.</exception>
    public static void Register(Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        lock (Gate)
        {
            if (Of(metric.Name) is not null) throw new ArgumentException($"there is a metric named {metric.Name} already", nameof(metric));
            all = [.. all, metric];
        }
    }
}
