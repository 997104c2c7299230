using System.Globalization;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>Mean and standard error of scores.</summary>
/// <param name="Count">How many.</param>
/// <param name="Mean">Their mean.</param>
/// <param name="StandardError">√(Σ(x − mean)² / (n − 1)) / √n; null for one score.</param>
public sealed record ScoreSummary(int Count, double Mean, double? StandardError)
{
    /// <summary>Null for no scores.</summary>
    public static ScoreSummary? Of(IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Count == 0) return null;
        double mean = values.Sum() / values.Count;
        if (values.Count == 1) return new ScoreSummary(1, mean, null);
        double squares = values.Sum(value => (value - mean) * (value - mean));
        return new ScoreSummary(values.Count, mean, Math.Sqrt(squares / (values.Count - 1) / values.Count));
    }

    /// <summary>Times 100, with the number of scores where it is 1 or less than what was asked for.</summary>
    public string Text(int asked)
    {
        string count = Count == 1 && asked <= 1 ? " (n=1)" : Count < asked ? $" (n={Count} of {asked})" : "";
        return $"{Hundredths(Mean)}{(StandardError is { } error ? $" ± {Hundredths(error)}" : "")}{count}";
    }

    /// <summary>A score or an error as tables show it.</summary>
    public static string Hundredths(double value) => (100 * value).ToString("F2", CultureInfo.InvariantCulture);
}
