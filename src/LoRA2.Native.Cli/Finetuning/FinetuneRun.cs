using LoRA2.Native.Adapters;
using LoRA2.Native.Cli.Distribution;
using LoRA2.Native.Communication;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Data;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Experiments;
using LoRA2.Native.Experiments.Reporting;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tasks;
using LoRA2.Native.TensorBoard;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli.Finetuning;

/// <summary>One fine-tuning run from data to saved result. Everything is checked before the output folder is touched.</summary>
internal sealed class FinetuneRun(FinetuneRequest request, RunData given, StandardStreams streams)
{
    private readonly RunData data = (given with { Kind = given.Kind.ForModel(Described(request), request.Training.MaxLength) }).Held(request.Training.Seed).Settled();
    private readonly RunFolder output = new(request.Output);
    private readonly TextWriter human = request.Json ? streams.Error : streams.Output;
    private readonly Communicator? communicator = streams.Communicator;

    /// <summary>The folder that says how vectors are made: that of the adapter which is trained on, where it says so, else the model's.</summary>
    private static string Described(FinetuneRequest request) => request.Earlier is { } earlier && SentenceFolder.Exists(earlier) ? earlier : request.Model;

    public int Run()
    {
        OnFirst(() =>
        {
            if (request.Resume) OutputFolder.RequireFolder(request.Output);
            else OutputFolder.RequireFree(request.Output, request.Overwrite);
        });
        if (request.Threads is { } threads) Compute.Threads = threads;
        return DeviceOption.Use(request.Device, streams.Error, Run);
    }

    /// <summary>Whether this process writes and reports.</summary>
    private bool IsFirst => communicator is null or { IsFirst: true };

    /// <summary>Does in the first process alone what is done once; what is wrong with it is wrong in all.</summary>
    private void OnFirst(Action action)
    {
        if (communicator is null) action();
        else communicator.OnFirst(action);
    }

    private int Run(DeviceOption device)
    {
        using SequenceClassifier model = LoadModel(out Tokenizer tokenizer);
        int length = InputLength.Of(model.Config, tokenizer, request.Training.MaxLength ?? data.Kind.UsualLength);
        TokenizedDataset Tokenize(Dataset set) => TokenizedDataset.Create(set.Name, set.Examples, tokenizer, model.Config, length);
        TokenizedDataset train = Tokenize(data.Train);
        TokenizedDataset? development = data.Development is null ? null : Tokenize(data.Development);
        TrainingOptions options = request.Training with { MaxLength = length, Budget = request.Budget?.Of(request.Training.StepsOf(train.Count)) };
        model.MoveTo(device.Device);
        using var trainer = new Trainer(
            model, options, train, development, data.Metrics, new ProcessNotes(streams.Error), data.Further.ToDictionary(set => set.Key, set => Tokenize(set.Value)), communicator);
        // The first process alone has the folder; what it finds there all do.
        FileStream? held = null;
        Span<bool> found = [false, false];
        bool isFinished = false, hasCheckpoint = false;
        OnFirst(() =>
        {
            held = output.Hold();
            (isFinished, hasCheckpoint) = (request.Resume && output.IsFinished, request.Resume && output.HasCheckpoint);
        });
        using FileStream? hold = held;
        (found[0], found[1]) = (isFinished, hasCheckpoint);
        communicator?.Broadcast(found);
        if (found[0])
        {
            OnFirst(() => AlreadyFinished(options, trainer.Fingerprint));
            return ExitCode.Done;
        }

        if (streams.Group is { } group) group.Advice = Advice;
        if (IsFirst && options.WarmupSteps is { } warmup && warmup > trainer.TotalSteps)
            streams.Error.WriteLine($"lora2: warning: the warm-up of {warmup:N0} steps is longer than the run of {trainer.TotalSteps:N0}, so that the learning rate never comes to what was asked for");
        if (found[1]) trainer.Resume(output.Checkpoint);
        new FinetuneSummary(human).Before(request, options, data, train, development, model, trainer.TotalSteps, device);
        if (streams.Group is { } processes) new FinetuneSummary(human).Processes(processes, options.Accumulation);
        if (request.Resume) human.WriteLine(trainer.Step > 0 ? $"resumed after step {trainer.Step}" : $"no checkpoint in {request.Output}: starting from the beginning");
        if (IsFirst) output.Begin();
        var run = new TrainingRun
        {
            ModelName = request.ModelName,
            Output = request.Output,
            Earlier = request.Earlier,
            ResumedAfter = trainer.Step,
            DeviceName = device.FullName,
            Options = options,
            Data = data,
            WordCounting = NaiveBayes.Accuracy(data),
            Train = train,
            Development = development,
            Model = model,
            Trainer = trainer,
        };
        var report = new RunReport(run);
        if (Train(trainer, report, device) is not { } result) return ExitCode.Interrupted;
        run = run with { Fitted = data.HeldOut is null ? null : Fit(model, Tokenize(data.HeldOut), development, options.EvaluationBatchSize) };
        if (!IsFirst) return ExitCode.Done;
        byte[] record = RunRecord.Of(run, result);
        Save(model, options, run.Fitted?.Kind ?? data.Kind, record, report.Page(result, failure: null));
        new FinetuneSummary(human).After(run, result, output.FullPath);
        if (request.IsQuickStart) PredictExamples();
        if (request.Json) streams.OutputBytes.Write(record);
        return ExitCode.Done;
    }

    /// <summary>What held-out training data say of the kind's settings, with the weights as they are now.</summary>
    private FittedKind Fit(SequenceClassifier model, TokenizedDataset heldOut, TokenizedDataset? development, int batchSize)
    {
        TaskKind fitted = data.Kind.Fitted(Evaluator.Logits(model, heldOut, batchSize, communicator), heldOut);
        return new FittedKind(fitted, development is null ? null : fitted.Score(Evaluator.Logits(model, development, batchSize, communicator), development, data.Metrics, data.LabelNames));
    }

    private SequenceClassifier LoadModel(out Tokenizer tokenizer)
    {
        EncoderConfig Configured(EncoderConfig config) => config with
        {
            Labels = data.Kind.HasLabels ? data.Outputs : config.Labels,
            LabelNames = data.Kind.HasLabels ? data.LabelNames : config.LabelNames,
            Task = data.Kind,
            HiddenDropout = request.Dropout ?? config.HiddenDropout,
            AttentionDropout = request.Dropout ?? config.AttentionDropout,
            ClassifierDropout = request.ClassifierDropout ?? config.ClassifierDropout,
        };

        SequenceClassifier model = request.FromScratch
            ? SequenceClassifier.Create(Configured(EncoderConfigReader.FromFolder(request.Model)), request.Training.Seed, request.Precision)
            : SequenceClassifier.FromFolder(request.Model, Configured, request.Training.Seed, request.Precision);
        try
        {
            AdapterSettings? earlier = null;
            if (request.Earlier is null) model.Attach(request.Training.Adapter, request.Training.Seed);
            else earlier = AdapterFolder.Load(model, request.Earlier);
            tokenizer = Tokenizer.FromFolder(request.Model);
            model.Check(tokenizer);
            AdapterWarnings.Write(IsFirst ? streams.Error : TextWriter.Null, earlier, request.Earlier, model, request.Strict);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Null when it was interrupted, after saving.</summary>
    private TrainingResult? Train(Trainer trainer, RunReport report, DeviceOption device)
    {
        int before = trainer.Step;
        using var interruption = new Interruption(streams.Cancellation);
        if (request.StopWithInput) interruption.AtEndOf(streams.Input);
        using TensorBoardLog? log = IsFirst ? new TensorBoardLog(output.TensorBoard, trainer) : null;
        try
        {
            if (log is null) return trainer.Run(output.Checkpoint, progress: null, interruption.Token);
            bool terminal = request.Json ? streams.IsErrorTerminal : streams.IsOutputTerminal;
            TrainingResult Run(IProgress<TrainingProgress> progress) => trainer.Run(output.Checkpoint, new BothProgress(log, progress), interruption.Token);
            return terminal ? BarProgress.Show(human, Run) : Run(new PlainProgress(human, request.LogEvery));
        }
        catch (CudaMemoryException)
        {
            if (trainer.Step > before) device.Settle();
            throw;
        }
        catch (TrainingException e)
        {
            WriteReport(report.Page(null, e.Message));
            throw;
        }
        catch (OperationCanceledException)
        {
            WriteReport(report.Page(null, failure: null));
            streams.Error.WriteLine(
                $"lora2: interrupted after step {trainer.Step} of {trainer.TotalSteps}; {output.Checkpoint} has everything: the same command with --resume goes on from there");
            return null;
        }
    }

    /// <summary>What can be done when a process has ended.</summary>
    private string Advice() => output.HasCheckpoint
        ? $"{output.Checkpoint} is intact: the same command with --resume goes on from there, with any number of processes"
        : $"there is no checkpoint in {request.Output} yet: the same command starts again";

    private void WriteReport(byte[] page)
    {
        if (IsFirst) AtomicFile.Write(output.Report, stream => stream.Write(page));
    }

    private void Save(SequenceClassifier model, TrainingOptions options, TaskKind kind, byte[] record, byte[] page)
    {
        SavedBeside beside = RunFolder.Beside(new TaskDescription(data.Task, data.LabelNames, options.MaxLength, data.Metrics) { Kind = kind }, record);
        if (options.Adapter.Method.PeftType is null) ModelFolder.Save(model, request.Model, request.Output, beside: beside);
        else AdapterFolder.Save(model, options.Adapter, request.ModelName, request.Output, beside);
        WriteReport(page);
        output.Finish();
    }

    private void PredictExamples()
    {
        bool full = request.Training.Adapter.Method.PeftType is null;
        using TextClassifier classifier = full ? TextClassifier.Load(request.Output) : TextClassifier.Load(request.Model, request.Output);
        human.WriteLine();
        foreach (string text in QuickStart.Examples)
        {
            Prediction prediction = classifier.Predict(text);
            human.WriteLine($"  {prediction.Label,-16} {prediction.Score:F3}  {text}");
        }

        human.WriteLine();
        string where = request.Output == ModelLocation.DefaultFolder ? "" : full ? $" --model {request.Output}" : $" --adapter {request.Output}";
        human.WriteLine($"Try one of your own: echo \"Where is my parcel?\" | lora2 predict{where}");
    }

    /// <summary>Resuming a finished run is no error when it is this one: a script may resume until it is done.</summary>
    private void AlreadyFinished(TrainingOptions options, RunFingerprint fingerprint)
    {
        byte[] record = RegularFile.ReadAllBytes(output.Record);
        using var stored = System.Text.Json.JsonDocument.Parse(record);
        using var asked = System.Text.Json.JsonDocument.Parse(TrainingJson.Text(options, request.Precision));
        bool same = stored.RootElement.TryGetProperty("options", out var was) && System.Text.Json.JsonElement.DeepEquals(was, asked.RootElement)
            && stored.RootElement.TryGetProperty("model", out var model) && model.GetString() == request.ModelName;
        string? other = !same || !Stored("run", out var ran) || !fingerprint.HasOptionsOf(ran) ? "options" : !Stored("run", out var run) || !fingerprint.HasDataOf(run) ? "data" : !fingerprint.HasTokenizerOf(run) ? "files of the tokenizer" : !fingerprint.HasModelOf(run) ? "weights of the base model" : null;
        if (other is not null) throw new InputException($"{request.Output}: the run there is finished and had other {other}; choose another --output, or --overwrite it");
        bool Stored(string name, out System.Text.Json.JsonElement value) => stored.RootElement.TryGetProperty(name, out value);
        human.WriteLine($"the run in {request.Output} is finished already");
        if (request.Json) streams.OutputBytes.Write(record);
    }
}
