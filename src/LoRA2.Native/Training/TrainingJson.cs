using System.Text;
using System.Text.Json;
using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Training;

/// <summary>A run's options and history as JSON: for the record beside an adapter, and to tell whether a checkpoint belongs to a run.</summary>
public static class TrainingJson
{
    private const string NotesField = "undefined_metrics";

    /// <summary>Writes the options as one object.</summary>
    public static void Write(Utf8JsonWriter json, TrainingOptions options, Precision precision)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(options);
        json.WriteStartObject();
        WriteProperties(json, options, precision);
        json.WriteEndObject();
    }

    /// <summary>Writes the options into an object that is open.</summary>
    public static void WriteProperties(Utf8JsonWriter json, TrainingOptions options, Precision precision)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(options);
        AdapterSettings adapter = options.Adapter;
        json.WriteString("method", adapter.Method.Name);
        foreach (MethodOption option in adapter.Method.Options) option.Write(json, adapter.Method);
        if (adapter.Method.UsesTargets)
        {
            json.WriteStartArray("targets");
            foreach (string target in adapter.Targets) json.WriteStringValue(target);
            json.WriteEndArray();
        }

        if (adapter.Method.PeftType is not null) json.WriteString("head", adapter.Head == HeadTraining.Classifier ? "classifier" : "all");
        if (options.Budget is { } budget)
        {
            json.WriteStartObject("budget");
            json.WriteNumber("target_rank", budget.TargetRank);
            json.WriteNumber("warmup_steps", budget.WarmupSteps);
            json.WriteNumber("final_steps", budget.FinalSteps);
            json.WriteNumber("interval", budget.Interval);
            json.WriteEndObject();
        }

        json.WriteString("precision", precision.ToString().ToLowerInvariant());
        json.WriteNumber("epochs", options.Epochs);
        json.WriteNumber("max_steps", options.MaxSteps);
        json.WriteNumber("batch_size", options.BatchSize);
        json.WriteNumber("accumulation", options.Accumulation);
        json.WriteNumber("learning_rate", options.LearningRate);
        json.WriteNumber("head_rate", options.HeadRate);
        json.WriteString("decay", options.Decay.ToString().ToLowerInvariant());
        if (options.WarmupSteps is { } warmup) json.WriteNumber("warmup_steps", warmup);
        else json.WriteNumber("warmup_share", options.WarmupShare);
        json.WriteNumber("weight_decay", options.WeightDecay);
        json.WriteNumber("clip_norm", options.ClipNorm);
        if (options.MaxLength is { } length) json.WriteNumber("max_length", length);
        json.WriteNumber("evaluate_every", options.EvaluateEvery);
        json.WriteNumber("evaluation_batch_size", options.EvaluationBatchSize);
        json.WriteNumber("patience", options.Patience);
        json.WriteNumber("seed", options.Seed);
    }

    /// <summary>The options as text.</summary>
    public static string Text(TrainingOptions options, Precision precision)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) Write(json, options, precision);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>Writes evaluations as an array.</summary>
    public static void Write(Utf8JsonWriter json, IEnumerable<EvaluationPoint> history)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(history);
        json.WriteStartArray();
        foreach (EvaluationPoint point in history)
        {
            json.WriteStartObject();
            json.WriteNumber("step", point.Step);
            json.WriteNumber("epoch", point.Epoch);
            Number(json, "training_loss", point.TrainingLoss);
            json.WriteStartObject("metrics");
            foreach (MetricValue metric in point.Metrics) Number(json, metric.Name, metric.Value);
            json.WriteEndObject();
            Notes(json, point.Metrics);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Writes why some metrics are undefined, by their names, as a property <c>undefined_metrics</c>; nothing where all are defined.</summary>
    public static void Notes(Utf8JsonWriter json, IReadOnlyList<MetricValue> metrics)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(metrics);
        if (metrics.All(metric => metric.Note is null)) return;
        json.WriteStartObject(NotesField);
        foreach (MetricValue metric in metrics.Where(metric => metric.Note is not null)) json.WriteString(metric.Name, metric.Note);
        json.WriteEndObject();
    }

    /// <summary>Writes a number, or null where it is none.</summary>
    public static void Number(Utf8JsonWriter json, string name, double value)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(name);
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }

    internal static IEnumerable<EvaluationPoint> ReadHistory(JsonElement history) => history.EnumerateArray().Select(point => new EvaluationPoint(
        point.GetProperty("step").GetInt32(),
        point.GetProperty("epoch").GetDouble(),
        [.. point.GetProperty("metrics").EnumerateObject().Select(metric => new MetricValue(metric.Name, metric.Value.ValueKind == JsonValueKind.Number ? metric.Value.GetDouble() : double.NaN) { Note = NoteIn(point, metric.Name) })],
        point.GetProperty("training_loss").ValueKind == JsonValueKind.Number ? point.GetProperty("training_loss").GetDouble() : double.NaN));

    private static string? NoteIn(JsonElement point, string metric) => point.TryGetProperty(NotesField, out JsonElement notes) && notes.TryGetProperty(metric, out JsonElement note) ? note.GetString() : null;
}
