using System.Text;
using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;

namespace LoRA2.Native;

/// <summary>
/// What a model was fine-tuned for, kept as <c>task.json</c> beside an adapter or in a model's folder: what PEFT's and HuggingFace's own files
/// have no place for.
/// </summary>
/// <param name="Name">What the task is called.</param>
/// <param name="LabelNames">The outputs' names by index, or null for a single number.</param>
/// <param name="MaxLength">Tokens after which an input is cut; null for as many as the model takes.</param>
/// <param name="Metrics">What predictions are scored by, the primary metric first.</param>
public sealed record TaskDescription(string Name, IReadOnlyList<string>? LabelNames, int? MaxLength, IReadOnlyList<Metric> Metrics)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "task.json";

    /// <summary>What is predicted, with the settings that were found in training.</summary>
    public TaskKind Kind { get; init; } = LabelNames is null ? TaskKinds.Regression : TaskKinds.Classification;

    /// <summary>Outputs of the model.</summary>
    public int Outputs => LabelNames?.Count ?? 1;

    /// <summary>Reads the file in a folder; null when there is none.</summary>
    /// <exception cref="InputException">The file is damaged.</exception>
    public static TaskDescription? Read(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        return JsonInput.ReadObject(path, "a task.json was expected", fields =>
        {
            TaskKind kind = TaskKinds.Of(fields.OneOf("kind", TaskKinds.Classification.Name, [.. TaskKinds.All.Select(known => known.Name)]))!;
            string[] labels = fields.Strings("labels", '\n');
            if (kind.NamesOutputs && labels.Length < kind.LeastLabels) throw fields.Error($"labels has {labels.Length} entries; at least {Words(kind.LeastLabels)} expected");
            Metric[] metrics = [.. fields.Strings("metrics", ',').Select(name => MetricOf(fields, name, kind.Input))];
            return new TaskDescription(fields.String("task", null) ?? "", labels.Length == 0 ? null : labels, fields.OptionalInt("max_length", 1), metrics) { Kind = kind.ReadSettings(fields, labels.Length) };
        });
    }

    private static string Words(int least) => least == 1 ? "one was" : least == 2 ? "two were" : $"{least} were";

    private static Metric MetricOf(ConfigFields fields, string name, MetricInput expected)
    {
        Metric metric = Data.Metrics.Of(name) ?? throw fields.Error($"metric '{name}' is unknown; there are {string.Join(", ", Data.Metrics.All)}");
        return metric.Input == expected ? metric : throw fields.Error($"metric '{name}' compares {Metric.Words(metric.Input)}; one that compares {Metric.Words(expected)} was expected");
    }

    /// <summary>Writes the file into a folder. With an adapter or a model it is better saved as <see cref="SavedBeside.Task"/>.</summary>
    public void Write(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        AtomicFile.Write(Path.Combine(folder, FileName), stream => stream.Write(Bytes()));
    }

    /// <summary>The file's content.</summary>
    internal byte[] Bytes()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("task", Name);
            json.WriteString("kind", Kind.Name);
            if (LabelNames is not null)
            {
                json.WriteStartArray("labels");
                foreach (string name in LabelNames) json.WriteStringValue(name);
                json.WriteEndArray();
            }

            if (MaxLength is { } length) json.WriteNumber("max_length", length);
            json.WriteStartArray("metrics");
            foreach (Metric metric in Metrics) json.WriteStringValue(metric.Name);
            json.WriteEndArray();
            Kind.WriteSettings(json);
            json.WriteEndObject();
        }

        buffer.Write(Encoding.UTF8.GetBytes("\n"));
        return buffer.ToArray();
    }
}
