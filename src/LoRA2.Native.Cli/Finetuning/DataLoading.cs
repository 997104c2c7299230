using System.CommandLine;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
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
    /// <param name="parsed">The command line.</param>
    /// <param name="options">Its options.</param>
    /// <param name="model">The model's folder: classes that it has already keep its order, and so the head that knows them.</param>
    /// <exception cref="InputException">A file is missing or has a bad row, or options contradict each other.</exception>
    public static RunData Load(ParseResult parsed, FinetuneOptions options, string model)
    {
        (string? train, string? development) = (parsed.GetValue(options.Train), parsed.GetValue(options.Development));
        if (options.Data.TaskOf(parsed, train is not null || development is not null) is { } task)
        {
            string folder = parsed.GetValue(options.Data.Folder)!;
            return new RunData(task.Name, task.Load(folder, "train"), task.Load(folder, "dev"), task.LabelNames, task.Metrics)
            {
                Kind = options.Data.WithSettings(parsed, task.IsRegression ? TaskKinds.Regression : TaskKinds.Classification),
                Further = task.FurtherDevelopmentSplits.ToDictionary(split => split.Key, split => task.Load(folder, split.Value)),
            };
        }

        if (parsed.GetValue(options.DevelopmentShare) is not null && (train is null || development is not null)) throw new InputException("--dev-share is for --train without --dev");
        string name = train is null ? "tickets" : Path.GetFileNameWithoutExtension(train);
        if (train is null) (train, development) = (QuickStart.Train, QuickStart.Development);
        TaskKind kind = options.Data.KindOf(parsed);
        DatasetOptions reading = options.Data.FileOptions(parsed, kind, null);
        if (kind.MapsLabels) reading = reading with { LabelNames = NamesOf(model, reading, () => DatasetFile.Load(train, reading with { Split = "train" })) };
        Dataset trainData = DatasetFile.Load(train, reading with { Split = "train" });
        if (development is null && Directory.Exists(train) && DatasetFolder.FilesOf(train, "validation").Count > 0) development = train;
        Dataset? developmentData = development is null ? null : DatasetFile.Load(development, reading with { LabelNames = trainData.LabelNames, Split = "validation" });
        // Vectors are compared over a whole corpus: a tenth of the pairs says little.
        double share = parsed.GetValue(options.DevelopmentShare) ?? (kind.IsBareEncoder ? 0 : UsualShare);
        if (developmentData is null && trainData.Split(share, parsed.GetValue(options.Seed) ?? new TrainingOptions().Seed, kind.GroupOf) is { } parts)
            (trainData, developmentData) = parts;
        return new RunData(name, trainData, developmentData, trainData.LabelNames, kind.MetricsOf(developmentData ?? trainData)) { Kind = kind };
    }

    /// <summary>
    /// The classes in the order of the model's, where it has the same ones: its own names when a label map leads to them, else the data's names of them. Null where the data alone say what there is.
    /// </summary>
    private static IReadOnlyList<string>? NamesOf(string model, DatasetOptions reading, Func<Dataset> load)
    {
        EncoderConfig config = EncoderConfigReader.FromFolder(model);
        if (config.LabelNames is not { } known || ClassNames.SayOnlyTheOrder(known)) return null;
        if (reading.LabelMap is { } map) return map.Names.All(name => ClassNames.IndexOf(known, name) >= 0) ? known : null;
        // Lists of 0 and 1 say only which place a label has: the model's names are at these places.
        if (reading.Kind.Input == MetricInput.LabelSets && config.Kind.Input == MetricInput.LabelSets && load().LabelNames is { } places && places.Count == known.Count && places.Index().All(name => name.Item == $"LABEL_{name.Index}")) return known;
        if (reading.Kind.Input != MetricInput.Classes || load().LabelNames is not { } found || ClassNames.SayOnlyTheOrder(found)) return null;
        return ClassNames.Mapping(known, found) is { } mapping ? [.. mapping.Select(place => found[place])] : null;
    }
}
