namespace LoRA2.Native.Data;

/// <summary>The metrics GLUE is scored by, computed in double precision. Predictions and truth have one length, at least 1.</summary>
internal static class MetricFormulas
{
    /// <summary>The share of predictions that are right, 0 to 1.</summary>
    public static double Accuracy(ReadOnlySpan<int> predicted, ReadOnlySpan<int> actual)
    {
        CheckLengths(predicted.Length, actual.Length);
        int right = 0;
        for (int i = 0; i < predicted.Length; i++)
        {
            if (predicted[i] == actual[i]) right++;
        }
        return (double)right / predicted.Length;
    }

    /// <summary>
    /// F1 of class 1, 2·TP / (2·TP + FP + FN), 0 to 1; every other class counts as negative. 0 when nothing is positive, predicted or true.
    /// </summary>
    public static double F1(ReadOnlySpan<int> predicted, ReadOnlySpan<int> actual)
    {
        CheckLengths(predicted.Length, actual.Length);
        long truePositive = 0, positives = 0;
        for (int i = 0; i < predicted.Length; i++)
        {
            if (predicted[i] == 1) positives++;
            if (actual[i] == 1) positives++;
            if (predicted[i] == 1 && actual[i] == 1) truePositive++;
        }
        return positives == 0 ? 0 : 2.0 * truePositive / positives;
    }

    /// <summary>
    /// Matthews correlation, −1 to 1, in its form for any number of classes (Gorodkin 2004), which for two is the usual one.
    /// 0 when the predictions or the truth are one class only.
    /// </summary>
    public static double Matthews(ReadOnlySpan<int> predicted, ReadOnlySpan<int> actual)
    {
        CheckLengths(predicted.Length, actual.Length);
        var predictedCounts = new Dictionary<int, double>();
        var actualCounts = new Dictionary<int, double>();
        double right = 0, n = predicted.Length;
        for (int i = 0; i < predicted.Length; i++)
        {
            predictedCounts[predicted[i]] = predictedCounts.GetValueOrDefault(predicted[i]) + 1;
            actualCounts[actual[i]] = actualCounts.GetValueOrDefault(actual[i]) + 1;
            if (predicted[i] == actual[i]) right++;
        }
        double together = right * n, predictedSquares = n * n, actualSquares = n * n;
        foreach ((int label, double count) in predictedCounts)
        {
            predictedSquares -= count * count;
            together -= count * actualCounts.GetValueOrDefault(label);
        }
        foreach (double count in actualCounts.Values) actualSquares -= count * count;
        double scale = Math.Sqrt(predictedSquares) * Math.Sqrt(actualSquares);
        return scale == 0 ? 0 : Math.Clamp(together / scale, -1, 1);
    }

    /// <summary>Pearson correlation, −1 to 1; 0 when either side is constant (its correlation is undefined). NaN or infinity gives
    /// NaN.</summary>
    public static double Pearson(ReadOnlySpan<double> predicted, ReadOnlySpan<double> actual)
    {
        CheckLengths(predicted.Length, actual.Length);
        if (IsConstant(predicted) || IsConstant(actual)) return 0;
        double predictedMean = Mean(predicted), actualMean = Mean(actual);
        double together = 0, predictedSquares = 0, actualSquares = 0;
        for (int i = 0; i < predicted.Length; i++)
        {
            double p = predicted[i] - predictedMean, a = actual[i] - actualMean;
            together += p * a;
            predictedSquares += p * p;
            actualSquares += a * a;
        }
        double scale = Math.Sqrt(predictedSquares) * Math.Sqrt(actualSquares);
        return scale == 0 ? 0 : Math.Clamp(together / scale, -1, 1);
    }

    /// <summary>
    /// Spearman correlation, −1 to 1: Pearson's of the ranks, equal values sharing the mean of their ranks; 0 when either side is constant.
    /// A NaN gives NaN.
    /// </summary>
    public static double Spearman(ReadOnlySpan<double> predicted, ReadOnlySpan<double> actual)
    {
        CheckLengths(predicted.Length, actual.Length);
        return Pearson(Ranks(predicted), Ranks(actual));
    }

    /// <summary>The mean of (predicted − actual)².</summary>
    public static double MeanSquaredError(ReadOnlySpan<double> predicted, ReadOnlySpan<double> actual)
    {
        CheckLengths(predicted.Length, actual.Length);
        double sum = 0;
        for (int i = 0; i < predicted.Length; i++) sum += (predicted[i] - actual[i]) * (predicted[i] - actual[i]);
        return sum / predicted.Length;
    }

    /// <summary>Ranks from 1, equal values sharing the mean of their ranks; all NaN when there is a NaN, which has no rank.</summary>
    internal static double[] Ranks(ReadOnlySpan<double> values)
    {
        double[] sorted = values.ToArray(), ranks = new double[values.Length];
        int[] order = [.. Enumerable.Range(0, values.Length)];
        Array.Sort(sorted, order);
        // NaN sorts first.
        if (double.IsNaN(sorted[0]))
        {
            Array.Fill(ranks, double.NaN);
            return ranks;
        }
        for (int start = 0; start < sorted.Length;)
        {
            int end = start + 1;
            while (end < sorted.Length && sorted[end] == sorted[start]) end++;
            for (int i = start; i < end; i++) ranks[order[i]] = (start + 1 + end) / 2.0;
            start = end;
        }
        return ranks;
    }

    /// <summary>The root of the sum of squares around the mean.</summary>
    internal static double Spread(ReadOnlySpan<double> values)
    {
        double mean = Mean(values), squares = 0;
        foreach (double value in values) squares += (value - mean) * (value - mean);
        return Math.Sqrt(squares);
    }

    internal static bool IsConstant(ReadOnlySpan<double> values) => !values.ContainsAnyExcept(values[0]) && double.IsFinite(values[0]);

    private static double Mean(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values) sum += value;
        return sum / values.Length;
    }

    private static void CheckLengths(int predicted, int actual)
    {
        if (predicted != actual || predicted == 0)
            throw new ArgumentException($"{predicted} predictions for {actual} true values, expected as many and at least one.");
    }
}
