namespace LoRA2.Native.Data;

/// <summary>Metrics of sets of labels, as scikit-learn defines them.</summary>
internal static class LabelSetFormulas
{
    /// <summary>F1 of all labels of all examples together.</summary>
    public static double MicroF1(LabelSets sets)
    {
        (long right, long positives) = (0, 0);
        for (int label = 0; label < sets.Labels; label++)
        {
            right += sets.Right(label);
            positives += sets.Actual(label) + (long)sets.Predicted(label);
        }

        return positives == 0 ? 0 : 2.0 * right / positives;
    }

    /// <summary>The mean of the labels' F1.</summary>
    public static double MacroF1(LabelSets sets) => Enumerable.Range(0, sets.Labels).Average(label =>
    {
        int positives = sets.Actual(label) + sets.Predicted(label);
        return positives == 0 ? 0 : 2.0 * sets.Right(label) / positives;
    });

    /// <summary>The mean over the labels that occur of their average precision; 0 when none does.</summary>
    public static double AveragePrecision(LabelSets sets) =>
        Enumerable.Range(0, sets.Labels).Where(label => sets.Actual(label) > 0).Select(label => AveragePrecision(sets, label)).DefaultIfEmpty().Average();

    /// <summary>The share of examples that are right in every label.</summary>
    public static double ExactMatch(LabelSets sets) =>
        Enumerable.Range(0, sets.Count).Count(i => Enumerable.Range(0, sets.Labels).All(label => sets.IsTrue(i, label) == sets.IsPredicted(i, label))) / (double)sets.Count;

    private static double AveragePrecision(LabelSets sets, int label)
    {
        (double Probability, bool IsTrue)[] ordered = [.. Enumerable.Range(0, sets.Count).Select(i => (sets.Probability(i, label), sets.IsTrue(i, label))).OrderByDescending(pair => pair.Item1)];
        int total = sets.Actual(label), right = 0;
        double sum = 0, recall = 0;
        for (int i = 0; i < ordered.Length; i++)
        {
            if (ordered[i].IsTrue) right++;
            // Equal probabilities pass a threshold together.
            if (i + 1 < ordered.Length && ordered[i + 1].Probability == ordered[i].Probability) continue;
            double now = right / (double)total;
            sum += (now - recall) * right / (i + 1);
            recall = now;
        }

        return sum;
    }
}
