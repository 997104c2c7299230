namespace LoRA2.Native.Data;

/// <summary>What predictions are scored by; the higher the better.</summary>
public enum Metric
{
    /// <summary>The share of classes predicted right.</summary>
    Accuracy,

    /// <summary>The harmonic mean of precision and recall of class 1.</summary>
    F1,

    /// <summary>Matthews correlation of the classes predicted and true.</summary>
    Matthews,

    /// <summary>Pearson correlation of the scores predicted and true.</summary>
    Pearson,

    /// <summary>Spearman rank correlation of the scores predicted and true.</summary>
    Spearman,
}

/// <summary>Names of each <see cref="Metric"/>.</summary>
public static class MetricExtensions
{
    /// <summary>The name reports use: accuracy, f1, matthews, pearson, spearman.</summary>
    public static string ReportName(this Metric metric) => metric.ToString().ToLowerInvariant();

    /// <summary>Whether the metric compares scores, not classes.</summary>
    public static bool IsOfScores(this Metric metric) => metric is Metric.Pearson or Metric.Spearman;
}
