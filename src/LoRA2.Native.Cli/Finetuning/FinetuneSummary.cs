using LoRA2.Native.Adapters;
using LoRA2.Native.Cli.Distribution;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Experiments;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli.Finetuning;

/// <summary>What a person is told before and after a run.</summary>
internal sealed class FinetuneSummary(TextWriter writer)
{
    public void Before(FinetuneRequest request, TrainingOptions options, RunData data, TokenizedDataset train, TokenizedDataset? development, SequenceClassifier model, int totalSteps, DeviceOption device)
    {
        EncoderConfig config = model.Config;
        long own = model.BaseParameters.Sum(parameter => (long)parameter.Count);
        (long adapter, long head) = (model.AdapterParameterCount(), model.HeadParameterCount());
        Line("model", $"{request.ModelName}: {config.Title}, {config.Layers} layers of {config.HiddenSize}, {own:N0} parameters");
        if (request.Preset.Count > 0) Line("preset", string.Join(' ', request.Preset.Select(setting => $"{setting.Option} {setting.Value}")));
        Line("method", Method(options));
        string part = options.Adapter.Method.PeftType is null ? "encoder" : "adapter";
        Line("trained", $"{adapter:N0} in the {part} + {head:N0} in the head ({100.0 * (adapter + head) / own:0.##} % of the model's parameters)");
        if (model.InitialisedParameters.Count > 0) Line("new", string.Join(", ", model.InitialisedParameters));
        string skipped = data.Train.SkippedRows > 0 ? $", {data.Train.SkippedRows:N0} rows skipped" : "";
        Line("training", $"{data.Train.Name}: {data.Train.Examples.Count:N0} examples, {train.Tokens:N0} tokens{skipped}");
        foreach (string note in ((IEnumerable<string>)[.. data.Train.Notes, .. data.Development?.Notes ?? [], .. train.Notes, .. development?.Notes ?? []]).Distinct()) Line("note", note);
        foreach (Dataset set in data.Further.Values.Prepend<Dataset?>(data.Development).OfType<Dataset>())
            Line("development", $"{set.Name}: {set.Examples.Count:N0} examples{(set.SkippedRows > 0 ? $", {set.SkippedRows:N0} rows skipped" : "")}");
        Line("length", $"inputs of at most {options.MaxLength} tokens; longer, and cut: {train.CutCount:N0} for training{(development is null ? "" : $", {development.CutCount:N0} for development")}");
        Line("labels", data.LabelNames is null ? data.Kind.Title : string.Join(", ", data.LabelNames));
        if (data.Kind.SettingsText() is { Length: > 0 } settings) Line("settings", settings);
        if (data.HeldOut is { } held) Line("held out", $"{held.Examples.Count:N0} of the training examples, for the {data.Kind.Name} settings that are found at the end");
        Line("run", $"{totalSteps:N0} steps of {options.BatchSize}, learning rate {options.LearningRate}, dropout {config.HiddenDropout}, seed {options.Seed}, {Computed(request.Precision, device)}");
        writer.WriteLine();
    }

    /// <summary>Who computes, on which machines.</summary>
    public void Processes(ProcessGroup group, int parts)
    {
        if (group.Communicator is not { } several) return;
        IEnumerable<string> hosts = several.Hosts.GroupBy(host => host, StringComparer.Ordinal).Select(host => host.Count() == 1 ? host.Key : $"{host.Key} ({host.Count()})");
        Line("processes", $"{several.Size} by {group.Library}, on {string.Join(", ", hosts)}; {parts} parts of a batch");
        writer.WriteLine();
    }

    public void After(TrainingRun run, TrainingResult result, string output)
    {
        writer.WriteLine();
        if (result.Best is { } best)
        {
            Line("score", $"{string.Join(", ", best.Metrics.Select(metric => $"{metric.Name} {metric.Value:F4}"))} (after step {best.Step})");
            foreach (string note in Evaluation.NotesOf(best.Metrics)) Line("note", note);
            if (run.Data.Majority() is { } majority) Line("majority", $"{majority.Metric} {majority.Value:F4} by always answering {majority.Label}");
            if (run.WordCounting is { } counting) Line("naive Bayes", $"accuracy {counting:F4} by counting words and word pairs");
        }

        if (run.Fitted?.Development is { } found) Line("tuned", $"{string.Join(", ", found.Values.Select(metric => $"{metric.Name} {metric.Value:F4}"))} with what was found on held-out training data");
        if (run.Trainer.Ranks is { } ranks) Line("ranks", $"{ranks.Adapters.Sum(adapter => adapter.EffectiveRank)} of {ranks.Schedule.Initial} singular values kept");
        Line("time", $"{result.Duration.TotalSeconds:F1} s for {result.Steps:N0} steps{(result.StoppedEarly ? ", stopped early" : "")}, {result.TokensPerSecond:N0} tokens/s");
        Line("saved", output);
        Line("report", Path.Combine(output, RunFolder.ReportFile));
    }

    /// <summary>The precision and what computes it.</summary>
    private static string Computed(Precision precision, DeviceOption device) => (device.Device == Device.Cpu ? $"{Compute.Threads} threads, " : "") + Arithmetic.Of(precision, device);

    private static string Method(TrainingOptions options)
    {
        AdapterSettings adapter = options.Adapter;
        string targets = adapter.Method.UsesTargets ? $" on {string.Join(", ", adapter.Targets)}" : "";
        string budget = options.Budget is { } kept ? $", pruned to {kept.TargetRank} singular values a matrix" : "";
        return $"{adapter.Method.Description}{targets}{budget}";
    }

    private void Line(string name, string text) => writer.WriteLine($"{name,-12} {text}");
}
