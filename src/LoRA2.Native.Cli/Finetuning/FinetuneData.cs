using System.CommandLine;
using LoRA2.Native.Data;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Finetuning;

/// <summary>Labelled data to train on and to choose the best weights by, and what is to be learned from it.</summary>
/// <param name="Task">The task's name.</param>
/// <param name="Train">Training data.</param>
/// <param name="Development">Development data, or null.</param>
/// <param name="LabelNames">The classes, or null for regression.</param>
/// <param name="Metrics">What counts, the primary metric first.</param>
internal sealed record FinetuneData(string Task, Dataset Train, Dataset? Development, IReadOnlyList<string>? LabelNames, IReadOnlyList<Metric> Metrics)
{
    /// <summary>Development data that is scored besides, by the prefix of its metrics' names; see <see cref="GlueTask.FurtherDevelopmentSplits"/>.</summary>
    public IReadOnlyDictionary<string, Dataset> Further { get; init; } = new Dictionary<string, Dataset>();

    /// <summary>Reads what the options name; the tickets when they name nothing.</summary>
    /// <exception cref="InputException">A file is missing or has a bad row, or options contradict each other.</exception>
    public static FinetuneData Load(ParseResult parsed, FinetuneOptions options)
    {
        (string? train, string? development) = (parsed.GetValue(options.Train), parsed.GetValue(options.Development));
        bool regression = parsed.GetValue(options.Regression);
        if (options.Data.TaskOf(parsed, train is not null || development is not null) is { } task)
        {
            if (regression) throw new InputException("--regression is for files of your own; a GLUE task says itself what it predicts");
            string folder = parsed.GetValue(options.Data.Folder)!;
            return new FinetuneData(task.Name, task.Load(folder, "train"), task.Load(folder, "dev"), task.LabelNames, task.Metrics)
            {
                Further = task.FurtherDevelopmentSplits.ToDictionary(split => split.Key, split => task.Load(folder, split.Value)),
            };
        }

        string name = train is null ? "tickets" : Path.GetFileNameWithoutExtension(train);
        if (train is null) (train, development) = (QuickStart.Train, QuickStart.Development);
        Dataset trainData = DatasetFile.Load(train, options.Data.FileOptions(parsed, regression, null));
        Dataset? developmentData = development is null ? null : DatasetFile.Load(development, options.Data.FileOptions(parsed, regression, trainData.LabelNames));
        return new FinetuneData(name, trainData, developmentData, trainData.LabelNames, Data.Metrics.For(trainData.LabelNames?.Count));
    }

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
