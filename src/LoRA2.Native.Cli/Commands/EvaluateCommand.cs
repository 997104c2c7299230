using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using LoRA2.Native.Cli.Text;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 evaluate</c>: a model's score on labelled data.</summary>
internal static class EvaluateCommand
{
    public static Command Create(StandardStreams streams)
    {
        Option<string?> model = ModelLocation.ModelOption(), adapter = ModelLocation.AdapterOption();
        var data = new DataOptions();
        var split = new Option<string?>("--split") { Description = "of the GLUE task: dev, train; for MNLI also dev_mismatched [dev; for MNLI both of its development sets]", HelpName = "NAME" };
        var file = new Option<string?>("--file") { Description = "labelled data: .tsv, .csv or .jsonl", HelpName = "FILE" };
        var batchSize = NumberOption.Int("--batch-size", "examples computed together [64]", 1);
        Option<int?> maxLength = MaxLengthOption.Create();
        Option<bool> strict = AdapterWarnings.StrictOption();
        var json = new Option<bool>("--json") { Description = "one JSON object on standard output" };
        Option<string?> device = DeviceOption.Create(), precision = PrecisionOption.Create();
        var command = new ExampleCommand(
            "evaluate",
            "Scores a model, or an adapter on its base model, on labelled data. With neither --task nor --file: the quick start's development data, for its adapter.",
            "lora2 evaluate --adapter intents --file test.csv --label-column intent",
            "lora2 evaluate --model deberta-v3-base --adapter mnli --task MNLI --data glue/MNLI --json",
            "lora2 evaluate --model all-MiniLM-L6-v2 --task embeddings --file pairs.tsv")
        {
            model, adapter, split, file, batchSize, maxLength, strict, device, precision, json,
        };
        foreach (Option option in data.All) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            GlueTask? task = data.TaskOf(parsed, parsed.GetValue(file) is not null);
            if (task is null && parsed.GetValue(split) is not null) throw new InputException("--split needs --task and --data");
            int size = parsed.GetValue(batchSize) ?? 64;
            ModelLocation location = ModelLocation.Find(parsed.GetValue(model), parsed.GetValue(adapter));
            if (task is null && parsed.GetValue(file) is null && location.Model != QuickStart.Model)
                throw new InputException("no data was given: add --file, or --task and --data");
            if (parsed.GetValue(data.Task) == TaskKinds.Embeddings.Name || (task is null && TaskDescription.Read(location.Adapter ?? location.Model)?.Kind is EmbeddingsTask))
            {
                string path = parsed.GetValue(file) ?? throw new InputException($"--task {TaskKinds.Embeddings} needs --file, pairs with scores or without");
                return DeviceOption.Use(parsed.GetValue(device), streams.Error, chosen =>
                {
                    using TextEmbedder embedder = TextEmbedder.Load(location.Model, location.Adapter, new EmbedderOptions { Precision = PrecisionOption.Parse(parsed.GetValue(precision)), MaxLength = parsed.GetValue(maxLength) });
                    embedder.Model.MoveTo(chosen.Device);
                    AdapterWarnings.Write(streams.Error, embedder.Adapter, location.Adapter, embedder.Model, parsed.GetValue(strict));
                    Dataset set = DatasetFile.Load(path, data.FileOptions(parsed, embedder.Model.Config.Kind, null));
                    foreach (string note in set.Notes) streams.Error.WriteLine($"lora2: note: {note}");
                    Report(new Scored(embedder.Model, embedder.Tokenizer, embedder.MaxLength, Arithmetic.Of(embedder.Model.Precision, chosen)), [("", set)], embedder.Model.Config.Kind.MetricsOf(set), size, parsed.GetValue(json), streams);
                    return ExitCode.Done;
                });
            }

            if (parsed.GetValue(data.Task) == TaskKinds.Ranking.Name)
            {
                string path = parsed.GetValue(file) ?? throw new InputException($"--task {TaskKinds.Ranking} needs --file, queries with documents and their relevance");
                return DeviceOption.Use(parsed.GetValue(device), streams.Error, chosen =>
                {
                    using TextReranker reranker = TextReranker.Load(location.Model, location.Adapter, PrecisionOption.Parse(parsed.GetValue(precision)), parsed.GetValue(maxLength));
                    TextClassifier classifier = reranker.Classifier;
                    classifier.Model.MoveTo(chosen.Device);
                    AdapterWarnings.Write(streams.Error, classifier.Adapter, location.Adapter, classifier.Model, parsed.GetValue(strict));
                    Dataset set = DatasetFile.Load(path, data.FileOptions(parsed, TaskKinds.Ranking, null));
                    foreach (string note in set.Notes) streams.Error.WriteLine($"lora2: note: {note}");
                    Report(new Scored(classifier.Model, classifier.Tokenizer, classifier.MaxLength, Arithmetic.Of(classifier.Model.Precision, chosen)) { Kind = TaskKinds.Ranking }, [("", set)], TaskKinds.Ranking.MetricsOf(set), size, parsed.GetValue(json), streams);
                    return ExitCode.Done;
                });
            }

            return DeviceOption.Use(parsed.GetValue(device), streams.Error, chosen =>
            {
                using TextModel classifier = TextModel.Load(location.Model, location.Adapter, PrecisionOption.Parse(parsed.GetValue(precision)), parsed.GetValue(maxLength));
                if (task is null) TaskMatch.RequireKind(parsed.GetValue(data.Task), classifier);
                classifier.Model.MoveTo(chosen.Device);
                AdapterWarnings.Write(streams.Error, classifier.Adapter, location.Adapter, classifier.Model, parsed.GetValue(strict));
                (string Prefix, Dataset Set)[] sets = task is null
                    ? [("", DatasetFile.Load(parsed.GetValue(file) ?? QuickStart.Development, data.FileOptions(parsed, classifier.Task.Kind, classifier.Task.LabelNames)))]
                    : SetsOf(task, parsed.GetValue(data.Folder)!, parsed.GetValue(split));
                if (task is not null && TaskMatch.Require(task, classifier) is { } classes)
                    sets = Array.ConvertAll(sets, set => (set.Prefix, set.Set.WithClasses(classes, classifier.Task.LabelNames)));
                foreach ((_, Dataset set) in sets)
                {
                    foreach (string note in set.Notes) streams.Error.WriteLine($"lora2: note: {note}");
                    if (!set.HasTargets) throw new InputException($"{set.Name} has no labels to score against");
                }

                Report(new Scored(classifier.Model, classifier.Tokenizer, classifier.MaxLength, Arithmetic.Of(classifier.Model.Precision, chosen)), sets, task?.Metrics ?? classifier.Task.Metrics, size, parsed.GetValue(json), streams);
                return ExitCode.Done;
            });
        });
        return command;
    }

    /// <summary>The split that was named, or all development sets, with the prefix of their metrics' names.</summary>
    private static (string Prefix, Dataset Set)[] SetsOf(GlueTask task, string folder, string? split) =>
        split is not null ? [("", task.Load(folder, split))] : [("", task.Load(folder, "dev")), .. task.FurtherDevelopmentSplits.Select(further => (further.Key, task.Load(folder, further.Value)))];

    private static void Report(Scored scored, (string Prefix, Dataset Set)[] sets, IReadOnlyList<Metric> metrics, int batchSize, bool asJson, StandardStreams streams)
    {
        var clock = Stopwatch.StartNew();
        Evaluation? evaluation = null;
        long tokens = 0;
        int cut = 0;
        foreach ((string prefix, Dataset set) in sets)
        {
            TaskKind kind = scored.Kind ?? scored.Model.Config.Kind;
            TokenizedDataset data = kind.Tokenize(set.Name, set.Examples, scored.Tokenizer, scored.Model.Config, scored.MaxLength);
            foreach (string note in data.Notes) streams.Error.WriteLine($"lora2: note: {note}");
            Evaluation one = kind.Score(Evaluator.Logits(scored.Model, data, batchSize, streams.Cancellation), data, metrics, scored.Model.Config.LabelNames);
            evaluation = evaluation?.With(prefix, one) ?? one;
            tokens += data.Tokens;
            cut += data.CutCount;
        }

        double seconds = clock.Elapsed.TotalSeconds;
        if (!asJson)
        {
            static string Of(Dataset set) => $"{set.Name}: {set.Examples.Count:N0} examples{(set.SkippedRows > 0 ? $", {set.SkippedRows:N0} rows skipped" : "")}";
            streams.Output.WriteLine($"{string.Join("; ", sets.Select(data => Of(data.Set)))}, {seconds:F1} s, {tokens / seconds:N0} tokens/s; {cut:N0} cut at {scored.MaxLength} tokens; {scored.Arithmetic}");
            int width = Math.Max(12, evaluation!.Values.Max(metric => metric.Name.Length));
            foreach (MetricValue metric in evaluation.Values) streams.Output.WriteLine($"{metric.Name.PadRight(width)} {metric.Value:F4}{(metric.Note is null ? "" : $"  ({metric.Note})")}");
            return;
        }

        using var output = new JsonLineWriter(streams.OutputBytes);
        output.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("command", "evaluate");
            foreach ((string prefix, Dataset set) in sets)
            {
                json.WriteString($"{prefix}data", set.Name);
                json.WriteNumber($"{prefix}examples", set.Examples.Count);
                json.WriteNumber($"{prefix}skipped_rows", set.SkippedRows);
            }

            json.WriteString("precision", scored.Model.Precision.ToString().ToLowerInvariant());
            json.WriteString("computed", scored.Arithmetic);
            json.WriteNumber("max_length", scored.MaxLength);
            json.WriteNumber("cut", cut);
            json.WriteStartObject("metrics");
            foreach (MetricValue metric in evaluation!.Values) TrainingJson.Number(json, metric.Name, metric.Value);
            json.WriteEndObject();
            TrainingJson.Notes(json, evaluation.Values);
            json.WriteNumber("seconds", Math.Round(seconds, 3));
            json.WriteNumber("tokens_per_second", Math.Round(tokens / seconds, 1));
            json.WriteNumber("peak_memory_mb", Math.Round(Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0, 1));
            json.WriteEndObject();
        });
    }

    /// <summary>What answers.</summary>
    private readonly record struct Scored(SequenceClassifier Model, Tokenizer Tokenizer, int MaxLength, string Arithmetic)
    {
        /// <summary>What it is scored as, where that is not what the model says it is for.</summary>
        public TaskKind? Kind { get; init; }
    }
}
