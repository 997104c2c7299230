using System.CommandLine;
using System.Text.Json;
using LoRA2.Native.Cli.Distribution;
using LoRA2.Native.Cli.Text;
using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 predict</c>: texts to labels.</summary>
internal static class PredictCommand
{
    /// <summary>Texts that a process takes at a time from a file that several share, in whole batches.</summary>
    private const int TextsAtOnce = 2048;

    public static Command Create(StandardStreams streams)
    {
        Option<string?> model = ModelLocation.ModelOption(), adapter = ModelLocation.AdapterOption();
        var text = new Option<string?>("--text") { Description = "one text, instead of standard input", HelpName = "TEXT" };
        var pair = new Option<string?>("--text-pair") { Description = "its second text", HelpName = "TEXT" };
        var file = new Option<string?>("--file") { Description = "texts, one a line [standard input]", HelpName = "FILE" };
        var target = new Option<string?>("--output") { Description = "where the answers go, in the texts' order [standard output]", HelpName = "FILE" };
        var jsonLines = new Option<bool>("--json-lines") { Description = "each line of the input is a JSON string or {\"text\": …, \"text_pair\": …}" };
        Option<string?> aggregation = SpanAnswers.AggregationOption();
        var data = new DataOptions();
        var submission = new Option<string?>("--submission") { Description = "instead of reading texts, predict the test data of --task in --data and write the file that GLUE's server expects into this folder", HelpName = "DIR" };
        var batchSize = NumberOption.Int("--batch-size", "texts computed together; answers come as each batch is done [32; 1 at a terminal]", 1);
        Option<int?> maxLength = MaxLengthOption.Create();
        Option<bool> strict = AdapterWarnings.StrictOption();
        Option<string?> device = DeviceOption.Create(), precision = PrecisionOption.Create();
        var command = new ExampleCommand(
            "predict",
            "Reads a text a line from standard input and writes {\"label\": …, \"score\": …, \"probabilities\": {…}, \"cut\": …} a line, cut being true where the text was longer than the model takes; for regression there is the score alone, or {\"scores\": {…}} of several; of several labels a text {\"labels\": […], \"probabilities\": {…}}; of a model that tags words {\"spans\": [{\"label\": …, \"score\": …, \"start\": …, \"end\": …, \"text\": …}]}, places counted in code points from 0.",
            "echo 'My parcel never arrived.' | lora2 predict",
            "lora2 predict --adapter intents --json-lines < tickets.jsonl > predictions.jsonl",
            "lora2 predict --model mnli-merged --text 'A man sleeps.' --text-pair 'Nobody is awake.'",
            "lora2 predict --adapter mnli --task MNLI --data glue/MNLI --submission submission",
            "mpirun -n 4 lora2 predict --adapter intents --file tickets.txt --output predictions.jsonl")
        {
            model, adapter, text, pair, file, target, jsonLines, aggregation, data.Task, data.Folder, submission, batchSize, maxLength, strict, device, precision,
        };
        command.SetAction(parsed =>
        {
            streams.Share();
            (string? one, string? second) = (parsed.GetValue(text), parsed.GetValue(pair));
            if (second is not null && one is null) throw new InputException("--text-pair needs --text");
            if (one is not null && parsed.GetValue(jsonLines)) throw new InputException("--json-lines is for standard input, not for --text");
            GlueTask? task = data.TaskOf(parsed, hasFile: false);
            string? folder = parsed.GetValue(submission);
            if (folder is null != task is null) throw new InputException("--submission needs --task and --data, the test data to predict, and they need it");
            if (folder is not null && (one is not null || parsed.GetValue(jsonLines))) throw new InputException("--submission is of test data; leave out --text and --json-lines");
            (string? source, string? answers) = (parsed.GetValue(file), parsed.GetValue(target));
            if (source is not null && (one is not null || folder is not null)) throw new InputException("--file is instead of --text and --submission");
            if (answers is not null && folder is not null) throw new InputException("--output is for answers to texts; --submission names a folder");
            if (streams.Communicator is not null && (source is null || answers is null)) throw new InputException("several processes need --file, the texts, and --output, where the answers go");
            // Shards are kept beside the output of several processes, which has to be a file for that.
            if (answers is not null) OutputFile.Require(answers, source, canStream: streams.Communicator is null);
            int size = parsed.GetValue(batchSize) ?? (task is null && source is null && streams.IsInputTerminal ? 1 : 32);
            ModelLocation location = ModelLocation.Find(parsed.GetValue(model), parsed.GetValue(adapter));
            return DeviceOption.Use(parsed.GetValue(device), streams.Error, chosen =>
            {
                using TextModel classifier = TextModel.Load(location.Model, location.Adapter, PrecisionOption.Parse(parsed.GetValue(precision)), parsed.GetValue(maxLength));
                if (task is null) TaskMatch.RequireKind(parsed.GetValue(data.Task), classifier);
                classifier.Model.MoveTo(chosen.Device);
                Arithmetic.Note(streams.Error, parsed.GetValue(precision), chosen);
                AdapterWarnings.Write(streams.Error, classifier.Adapter, location.Adapter, classifier.Model, parsed.GetValue(strict));
                if (task is not null)
                {
                    new SubmissionFolder(folder!).Add(classifier, task, parsed.GetValue(data.Folder)!, size, streams);
                    return ExitCode.Done;
                }

                int Answers(Stream stream, Func<Func<IReadOnlyList<Example>, int>, int> all)
                {
                    using var output = new JsonLineWriter(stream);
                    return all(Answering(classifier, parsed.GetValue(aggregation), size, output));
                }

                if (streams.Communicator is { } several)
                {
                    string identity = SharedOutput.IdentityOf(source!, classifier.Model, location, parsed.Tokens.Select(token => token.Value));
                    using var shared = new SharedOutput(several, answers!, identity);
                    int cuts = shared.Make(
                        source!, (TextsAtOnce + size - 1) / size * size, (lines, line) => ExampleOf(lines, line, parsed.GetValue(jsonLines)),
                        (some, stream) => Answers(stream, answer => some.Chunk(size).Sum(answer)),
                        (shards, stream) =>
                        {
                            foreach (Stream shard in shards) shard.CopyTo(stream);
                        });
                    CutNote.Write(streams.Error, cuts, classifier.MaxLength);
                    return ExitCode.Done;
                }

                int AnswerTo(Stream stream)
                {
                    if (one is not null) return Answers(stream, answer => answer([new Example(one, second)]));
                    // Standard input is read once.
                    chosen.Settle();
                    using FileStream? texts = source is null ? null : TextFile.Open(source);
                    return Answers(stream, answer => AnswerAll(answer, new LineReader(texts ?? streams.Input, source ?? "standard input"), parsed.GetValue(jsonLines), size));
                }

                int cut = 0;
                if (answers is null) cut = AnswerTo(streams.OutputBytes);
                else AtomicFile.WriteOrStream(answers, stream => cut = AnswerTo(stream));
                CutNote.Write(streams.Error, cut, classifier.MaxLength);
                return ExitCode.Done;
            });
        });
        return command;
    }

    /// <summary>What writes the answers for some texts and returns how many of them were cut.</summary>
    private static Func<IReadOnlyList<Example>, int> Answering(TextModel model, string? aggregation, int batchSize, JsonLineWriter output)
    {
        if (model.Task.Kind is TokenTask) return new SpanAnswers(new TokenClassifier(model), aggregation, batchSize, output).Write;
        if (aggregation is not null) throw new InputException($"--aggregation is for a model that tags words; this one's task is {model.Task.Kind}");
        var classifier = new TextClassifier(model);
        return batch => Answer(classifier, batch, batchSize, output);
    }

    /// <summary>A bad line ends the run, after the answers to those before it. Returns how many texts were cut.</summary>
    private static int AnswerAll(Func<IReadOnlyList<Example>, int> answer, LineReader lines, bool jsonLines, int batchSize)
    {
        int cut = 0;
        var batch = new List<Example>(batchSize);
        try
        {
            while (lines.TryRead(out ReadOnlySpan<byte> line))
            {
                batch.Add(ExampleOf(lines, line, jsonLines));
                if (batch.Count < batchSize) continue;
                cut += answer(batch);
                batch.Clear();
            }
        }
        catch (InputException)
        {
            answer(batch);
            throw;
        }

        return cut + answer(batch);
    }

    private static Example ExampleOf(LineReader lines, ReadOnlySpan<byte> line, bool jsonLines) => jsonLines ? JsonLine.Example(lines, line) : new Example(lines.Decode(line));

    private static int Answer(TextClassifier classifier, IReadOnlyList<Example> batch, int batchSize, JsonLineWriter output)
    {
        IReadOnlyList<Prediction> predictions = classifier.Predict(batch, batchSize);
        foreach (Prediction prediction in predictions) output.Write(json => Write(json, prediction, classifier.Task.LabelNames));
        output.Flush();
        return predictions.Count(prediction => prediction.IsCut);
    }

    private static void Write(Utf8JsonWriter json, Prediction prediction, IReadOnlyList<string>? names)
    {
        json.WriteStartObject();
        if (prediction.Label is not null) json.WriteString("label", prediction.Label);
        if (prediction.Labels is { } labels)
        {
            json.WriteStartArray("labels");
            foreach (string label in labels) json.WriteStringValue(label);
            json.WriteEndArray();
        }
        else if (prediction.Scores is { } scores)
        {
            json.WriteStartObject("scores");
            foreach ((string name, double score) in scores) TrainingJson.Number(json, name, score);
            json.WriteEndObject();
        }
        else
        {
            TrainingJson.Number(json, "score", prediction.Score);
        }

        if (prediction.Probabilities is { } probabilities && names is not null)
        {
            json.WriteStartObject("probabilities");
            for (int i = 0; i < probabilities.Count; i++) TrainingJson.Number(json, names[i], probabilities[i]);
            json.WriteEndObject();
        }

        json.WriteBoolean("cut", prediction.IsCut);
        json.WriteEndObject();
    }
}
