using LoRA2.Native.Data;

namespace LoRA2.Native.Experiments;

/// <summary>Labelled data to train on and to choose the best weights by, and what is to be learned from it.</summary>
/// <param name="Task">The task's name.</param>
/// <param name="Train">Training data.</param>
/// <param name="Development">Development data, or null.</param>
/// <param name="LabelNames">The classes, or null for regression.</param>
/// <param name="Metrics">What counts, the primary metric first.</param>
public sealed record RunData(string Task, Dataset Train, Dataset? Development, IReadOnlyList<string>? LabelNames, IReadOnlyList<Metric> Metrics)
{
    /// <summary>Development data that is scored besides, by the prefix of its metrics' names; see <see cref="GlueTask.FurtherDevelopmentSplits"/>.</summary>
    public IReadOnlyDictionary<string, Dataset> Further { get; init; } = new Dictionary<string, Dataset>();

    /// <summary>The accuracy of always answering the development data's most frequent class, and that class; null for regression.</summary>
    public (string Label, double Accuracy)? Majority()
    {
        if (Development is null || LabelNames is null) return null;
        int[] counts = new int[LabelNames.Count];
        foreach (Example example in Development.Examples) counts[example.Label]++;
        int most = Array.IndexOf(counts, counts.Max());
        return (LabelNames[most], counts[most] / (double)Development.Examples.Count);
    }
}
