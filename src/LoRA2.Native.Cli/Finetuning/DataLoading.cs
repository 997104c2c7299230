using System.CommandLine;
using LoRA2.Native.Data;
using LoRA2.Native.Experiments;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli.Finetuning;

/// <summary>The data that <c>lora2 finetune</c> is pointed at.</summary>
internal static class DataLoading
{
    /// <summary>A part of the training data, to choose the best weights by, where there is no development file.</summary>
    private const double UsualShare = 0.1;

    /// <summary>Reads what the options name; the tickets when they name nothing.</summary>
    /// <exception cref="InputException">A file is missing or has a bad row, or options contradict each other.</exception>
    public static RunData Load(ParseResult parsed, FinetuneOptions options)
    {
        (string? train, string? development) = (parsed.GetValue(options.Train), parsed.GetValue(options.Development));
        if (options.Data.TaskOf(parsed, train is not null || development is not null) is { } task)
        {
            string folder = parsed.GetValue(options.Data.Folder)!;
            return new RunData(task.Name, task.Load(folder, "train"), task.Load(folder, "dev"), task.LabelNames, task.Metrics)
            {
                Further = task.FurtherDevelopmentSplits.ToDictionary(split => split.Key, split => task.Load(folder, split.Value)),
            };
        }

        if (parsed.GetValue(options.DevelopmentShare) is not null && (train is null || development is not null)) throw new InputException("--dev-share is for --train without --dev");
        string name = train is null ? "tickets" : Path.GetFileNameWithoutExtension(train);
        if (train is null) (train, development) = (QuickStart.Train, QuickStart.Development);
        TaskKind kind = options.Data.KindOf(parsed);
        Dataset trainData = DatasetFile.Load(train, options.Data.FileOptions(parsed, kind, null) with { Split = "train" });
        if (development is null && Directory.Exists(train) && DatasetFolder.FilesOf(train, "validation").Count > 0) development = train;
        Dataset? developmentData = development is null ? null : DatasetFile.Load(development, options.Data.FileOptions(parsed, kind, trainData.LabelNames) with { Split = "validation" });
        // Vectors are compared over a whole corpus: a tenth of the pairs says little.
        double share = parsed.GetValue(options.DevelopmentShare) ?? (kind.IsBareEncoder ? 0 : UsualShare);
        if (developmentData is null && trainData.Split(share, parsed.GetValue(options.Seed) ?? new TrainingOptions().Seed) is { } parts)
            (trainData, developmentData) = parts;
        return new RunData(name, trainData, developmentData, trainData.LabelNames, kind.MetricsOf(developmentData ?? trainData)) { Kind = kind };
    }
}
