using System.Globalization;

namespace LoRA2.Native.Data;

/// <summary>
/// Why a metric is undefined, where it is: scipy says NaN and warns, scikit-learn 0 and warns. Here the value is 0, so that it can be compared and read, and this goes beside it. Null: it is
/// defined.
/// </summary>
internal static class UndefinedMetrics
{
    /// <summary>Of class 1, see <see cref="MetricFormulas.F1"/>.</summary>
    public static string? F1(ReadOnlySpan<int> predicted, ReadOnlySpan<int> actual) => predicted.Contains(1) || actual.Contains(1) ? null : Taken("no example is of class 1 or predicted to be");

    /// <summary>See <see cref="MetricFormulas.Matthews"/>.</summary>
    public static string? Matthews(ReadOnlySpan<int> predicted, ReadOnlySpan<int> actual) =>
        !actual.ContainsAnyExcept(actual[0]) ? Taken("every example is of one class")
        : !predicted.ContainsAnyExcept(predicted[0]) ? Taken("one class is predicted of every example") : null;

    /// <summary>See <see cref="MetricFormulas.Pearson"/>.</summary>
    public static string? Pearson(ReadOnlySpan<double> predicted, ReadOnlySpan<double> actual) => OfConstants(predicted, actual) ??
        (MetricFormulas.Spread(predicted) * MetricFormulas.Spread(actual) == 0 ? Taken("the numbers of one side differ by next to nothing") : null);

    /// <summary>See <see cref="MetricFormulas.Spearman"/>.</summary>
    public static string? Spearman(ReadOnlySpan<double> predicted, ReadOnlySpan<double> actual) => OfConstants(predicted, actual);

    /// <summary>See <see cref="LabelSetFormulas.MicroF1"/>.</summary>
    public static string? MicroF1(LabelSets sets) => Unused(sets) == sets.Labels ? Taken("no label is true or predicted of any example") : null;

    /// <summary>See <see cref="LabelSetFormulas.MacroF1"/>.</summary>
    public static string? MacroF1(LabelSets sets) => Unused(sets) is var unused and > 0 ? $"{Of(unused, sets.Labels)} neither true nor predicted of any example; 0 was taken for the F1 of each" : null;

    /// <summary>See <see cref="LabelSetFormulas.AveragePrecision(LabelSets)"/>.</summary>
    public static string? AveragePrecision(LabelSets sets)
    {
        int missing = Enumerable.Range(0, sets.Labels).Count(label => sets.Actual(label) == 0);
        return missing == 0 ? null : missing == sets.Labels ? Taken("no example has a label") : $"{Of(missing, sets.Labels)} true of no example, and left out of the mean";
    }

    /// <summary>See <see cref="EntityScore.F1"/>.</summary>
    public static string? EntityF1(EntityScore score) => score.Actual + score.Predicted == 0 ? Taken("no entity is true or predicted") : null;

    /// <summary>See <see cref="EntityScore.Precision"/>.</summary>
    public static string? EntityPrecision(EntityScore score) => score.Predicted == 0 ? Taken("no entity is predicted") : null;

    /// <summary>See <see cref="EntityScore.Recall"/>.</summary>
    public static string? EntityRecall(EntityScore score) => score.Actual == 0 ? Taken("no entity is true") : null;

    /// <summary>See <see cref="TagSequences.Accuracy"/>.</summary>
    public static string? TagAccuracy(TagSequences tags) => tags.HasWords ? null : Taken("there are no words");

    private static string? OfConstants(ReadOnlySpan<double> predicted, ReadOnlySpan<double> actual) =>
        MetricFormulas.IsConstant(actual) ? Taken($"every true value is {Text(actual[0])}") : MetricFormulas.IsConstant(predicted) ? Taken($"{Text(predicted[0])} is predicted of every example") : null;

    private static int Unused(LabelSets sets) => Enumerable.Range(0, sets.Labels).Count(label => sets.Actual(label) == 0 && sets.Predicted(label) == 0);

    private static string Of(int count, int labels) => count == 1 ? $"1 of {labels} labels is" : $"{count} of {labels} labels are";

    private static string Taken(string why) => $"undefined, as {why}; 0 was taken";

    private static string Text(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
