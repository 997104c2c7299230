using LoRA2.Native.Data;

namespace LoRA2.Native.Experiments;

/// <summary>
/// What counting words reaches on a task, to compare a model with: multinomial naive Bayes over words and pairs of neighbouring words, each counted a tenth of a time more than
/// seen. Words are runs of letters and digits in lower case, apostrophes within them included. <c>bench/quickstart/naive_bayes.py</c> computes the same.
/// </summary>
public static class NaiveBayes
{
    private const double Smoothing = 0.1;

    /// <summary>Characters of the training data times labels: beyond some hundred thousand words the counts take longer and more memory than a line in a report is worth.</summary>
    private const long MostWork = 16_000_000;

    private const int FewLabels = 8;

    /// <summary>
    /// The accuracy on the development data after counting the training data; null without development data, where a text has anything but one label, and for more than two
    /// million characters of training data (fewer with more than eight labels).
    /// </summary>
    public static double? Accuracy(RunData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (data.Kind.Input != MetricInput.Classes || data.Development is not { } development || data.LabelNames is not { } labels || development.Examples.Count == 0) return null;
        long characters = data.Train.Examples.Sum(example => (long)example.Text.Length + (example.Pair?.Length ?? 0));
        if (characters * Math.Max(labels.Count, FewLabels) > MostWork) return null;
        var counts = new Dictionary<string, int[]>(StringComparer.Ordinal);
        int[] examples = new int[labels.Count];
        long[] features = new long[labels.Count];
        foreach (Example example in data.Train.Examples)
        {
            examples[example.Label]++;
            foreach (string feature in Features(example))
            {
                if (!counts.TryGetValue(feature, out int[]? count)) counts[feature] = count = new int[labels.Count];
                count[example.Label]++;
                features[example.Label]++;
            }
        }

        int right = 0;
        double[] scores = new double[labels.Count];
        foreach (Example example in development.Examples)
        {
            for (int label = 0; label < scores.Length; label++) scores[label] = Math.Log(examples[label]);
            foreach (string feature in Features(example))
            {
                if (!counts.TryGetValue(feature, out int[]? count)) continue;
                for (int label = 0; label < scores.Length; label++) scores[label] += Math.Log((count[label] + Smoothing) / (features[label] + (Smoothing * counts.Count)));
            }

            if (Array.IndexOf(scores, scores.Max()) == example.Label) right++;
        }

        return right / (double)development.Examples.Count;
    }

    private static List<string> Features(Example example)
    {
        List<string> features = Words(example.Text);
        int count = features.Count;
        for (int i = 1; i < count; i++) features.Add($"{features[i - 1]} {features[i]}");
        // The same word in the second text is another one.
        if (example.Pair is { } pair) features.AddRange(Features(new Example(pair)).Select(feature => "\n" + feature));
        return features;
    }

    private static List<string> Words(string text)
    {
        var words = new List<string>();
        int start = -1;
        for (int i = 0; i <= text.Length; i++)
        {
            bool isWord = i < text.Length && (char.IsLetterOrDigit(text[i]) || (text[i] == '\'' && start >= 0 && i + 1 < text.Length && char.IsLetterOrDigit(text[i + 1])));
            if (isWord && start < 0) start = i;
            if (isWord || start < 0) continue;
            words.Add(text[start..i].ToLowerInvariant());
            start = -1;
        }

        return words;
    }
}
