using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Training;

namespace LoRA2.Native.Experiments;

/// <summary>A finished run as one JSON object: scores, parameters, times, every option, the data and the machine.</summary>
public static class RunRecord
{
    /// <summary>The object in UTF-8, over several lines: what <c>lora2 finetune --json</c> prints and <see cref="RunFolder.RecordFile"/> keeps.</summary>
    public static byte[] Of(TrainingRun run, TrainingResult result)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(result);
        (RunData data, SequenceClassifier model, TrainingOptions options) = (run.Data, run.Model, run.Options);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonFormat.Indented))
        {
            json.WriteStartObject();
            json.WriteString("command", "finetune");
            json.WriteString("task", data.Task);
            json.WriteString("kind", data.Kind.Name);
            json.WriteStartObject("settings");
            data.Kind.WriteSettings(json);
            json.WriteEndObject();
            json.WriteString("model", run.ModelName);
            json.WriteString("model_type", model.Config.ModelType);
            json.WriteString("method", options.Adapter.Method.Name);
            json.WriteString("output", Path.GetFullPath(run.Output));
            if (run.Earlier is { } from) json.WriteString("from", Path.GetFullPath(from));
            Metrics(json, run, result);
            Parameters(json, model);
            Ranks(json, MatrixRank.In(model, options.Adapter.Method));
            json.WriteNumber("steps", result.Steps);
            // The times below are those since then.
            if (run.ResumedAfter > 0) json.WriteNumber("resumed_after_step", run.ResumedAfter);
            json.WriteNumber("seconds", Math.Round(result.Duration.TotalSeconds, 3));
            json.WriteNumber("training_seconds", Math.Round(result.TrainingTime.TotalSeconds, 3));
            json.WriteNumber("tokens_per_second", Math.Round(result.TokensPerSecond, 1));
            json.WriteNumber("peak_memory_mb", Math.Round(Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0, 1));
            json.WriteBoolean("stopped_early", result.StoppedEarly);
            TrainingJson.Number(json, "final_loss", result.FinalLoss);
            json.WriteStartObject("data");
            Data(json, run);
            json.WriteEndObject();
            json.WritePropertyName("history");
            TrainingJson.Write(json, result.History);
            json.WritePropertyName("options");
            TrainingJson.Write(json, options, model.Precision);
            Dropout(json, model.Config);
            json.WriteStartObject("run");
            run.Trainer.Fingerprint.WriteProperties(json);
            json.WriteEndObject();
            json.WriteStartObject("machine");
            Machine(json, run);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        buffer.Write(Encoding.UTF8.GetBytes("\n"));
        return buffer.ToArray();
    }

    private static void Metrics(Utf8JsonWriter json, TrainingRun run, TrainingResult result)
    {
        json.WriteStartObject("metrics");
        foreach (MetricValue metric in result.Best?.Metrics ?? []) TrainingJson.Number(json, metric.Name, metric.Value);
        json.WriteEndObject();
        TrainingJson.Notes(json, result.Best?.Metrics ?? []);
        if (result.Best is not null) json.WriteNumber("best_step", result.Best.Step);
        if (run.Fitted is { } fitted)
        {
            json.WriteStartObject("fitted");
            fitted.Kind.WriteSettings(json);
            foreach (MetricValue metric in fitted.Development?.Values ?? []) TrainingJson.Number(json, metric.Name, metric.Value);
            json.WriteEndObject();
        }

        if (run.Data.Majority() is not { } majority) return;
        json.WriteString("majority_label", majority.Label);
        json.WriteNumber($"majority_{majority.Metric}", majority.Value);
        if (run.WordCounting is { } counting) json.WriteNumber("naive_bayes_accuracy", counting);
    }

    private static void Parameters(Utf8JsonWriter json, SequenceClassifier model)
    {
        json.WriteStartObject("parameters");
        json.WriteNumber("adapter", model.AdapterParameterCount());
        json.WriteNumber("head", model.HeadParameterCount());
        json.WriteNumber("trained", model.AdapterParameterCount() + model.HeadParameterCount());
        json.WriteNumber("total", model.Parameters.Sum(parameter => (long)parameter.Count));
        json.WriteEndObject();
    }

    /// <summary>What each matrix keeps of its singular values or gates in the saved adapter.</summary>
    private static void Ranks(Utf8JsonWriter json, MatrixRank[] ranks)
    {
        if (ranks.Length == 0) return;
        json.WriteStartObject("ranks");
        foreach (MatrixRank rank in ranks) json.WriteNumber(rank.Module, rank.Effective);
        json.WriteEndObject();
    }

    /// <summary>Into an object that is open.</summary>
    internal static void Data(Utf8JsonWriter json, TrainingRun run)
    {
        RunData data = run.Data;
        json.WriteNumber("train_examples", data.Train.Examples.Count);
        json.WriteNumber("train_tokens", run.Train.Tokens);
        json.WriteNumber("train_cut", run.Train.CutCount);
        if (data.HeldOut is { } held) json.WriteNumber("held_out_examples", held.Examples.Count);
        json.WriteNumber("dev_examples", data.Development?.Examples.Count ?? 0);
        foreach ((string prefix, Dataset set) in data.Further) json.WriteNumber($"{prefix}dev_examples", set.Examples.Count);
        json.WriteNumber("skipped_rows", data.Train.SkippedRows + (data.Development?.SkippedRows ?? 0) + data.Further.Values.Sum(set => set.SkippedRows));
        json.WriteStartArray("labels");
        foreach (string label in data.LabelNames ?? []) json.WriteStringValue(label);
        json.WriteEndArray();
    }

    /// <summary>Into an object that is open.</summary>
    internal static void Dropout(Utf8JsonWriter json, EncoderConfig config)
    {
        json.WriteNumber("hidden_dropout", config.HiddenDropout);
        json.WriteNumber("attention_dropout", config.AttentionDropout);
        if (config.ClassifierDropout is { } classifierDropout) json.WriteNumber("classifier_dropout", classifierDropout);
    }

    /// <summary>Into an object that is open.</summary>
    internal static void Machine(Utf8JsonWriter json, TrainingRun run)
    {
        json.WriteString("device", run.DeviceName ?? run.Model.Device.Name);
        json.WriteString("system", RuntimeInformation.OSDescription);
        json.WriteString("architecture", RuntimeInformation.ProcessArchitecture.ToString());
        json.WriteString("runtime", RuntimeInformation.FrameworkDescription);
        json.WriteNumber("processors", Environment.ProcessorCount);
        json.WriteNumber("threads", Compute.Threads);
        json.WriteString("simd", Compute.SimdPath);
        json.WriteString("bfloat16", Compute.BFloat16Path);
        if (run.Model.Device == Device.Cpu) json.WriteString("computed", Compute.Describe(run.Model.Precision));
    }
}
