using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>What a finished run left in its training.json.</summary>
public sealed record CellResult
{
    /// <summary>All metrics of the evaluation with the best primary metric, whose weights are saved.</summary>
    public required IReadOnlyList<MetricValue> Best { get; init; }

    /// <summary>The step of that evaluation.</summary>
    public required int BestStep { get; init; }

    /// <summary>All metrics of the evaluation after the last step.</summary>
    public required IReadOnlyList<MetricValue> Last { get; init; }

    /// <summary>How often the run was evaluated.</summary>
    public required int Evaluations { get; init; }

    /// <summary>Steps that the run made.</summary>
    public required int Steps { get; init; }

    /// <summary>Parameters trained in the adapter.</summary>
    public required long AdapterParameters { get; init; }

    /// <summary>Parameters trained in the head.</summary>
    public required long HeadParameters { get; init; }

    /// <summary>Seconds that the whole run took, or since it was resumed.</summary>
    public required double Seconds { get; init; }

    /// <summary>The same without evaluations.</summary>
    public required double TrainingSeconds { get; init; }

    /// <summary>The step that the times count from; 0 for the whole run.</summary>
    public required int ResumedAfter { get; init; }

    /// <summary>Tokens trained on in a second.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>The most memory that the process held, in MiB.</summary>
    public required double PeakMemoryMB { get; init; }

    /// <summary>The machine in words.</summary>
    public required string Machine { get; init; }

    /// <summary>Threads that computed.</summary>
    public required int Threads { get; init; }

    /// <summary>The encoder's family.</summary>
    public required EncoderConfig Family { get; init; }

    /// <summary>What each adapted matrix keeps of its singular values or gates, by module; empty for other methods.</summary>
    public required IReadOnlyDictionary<string, int> Ranks { get; init; }

    /// <summary>The metrics of the run's score, the primary one first.</summary>
    public IReadOnlyList<MetricValue> Metrics(ScoreChoice choice) => choice == ScoreChoice.Best ? Best : Last;

    /// <summary>The score: the primary metric.</summary>
    public double Score(ScoreChoice choice) => Metrics(choice)[0].Value;

    /// <summary>Reads a run's record.</summary>
    /// <exception cref="InputException">The file is not what <see cref="RunRecord"/> writes.</exception>
    public static CellResult Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(RegularFile.ReadAllBytes(path));
            JsonElement run = document.RootElement, parameters = run.GetProperty("parameters"), machine = run.GetProperty("machine");
            JsonElement[] history = [.. run.GetProperty("history").EnumerateArray()];
            return new CellResult
            {
                Best = MetricsOf(run.GetProperty("metrics")),
                BestStep = run.GetProperty("best_step").GetInt32(),
                Last = MetricsOf(history[^1].GetProperty("metrics")),
                Evaluations = history.Length,
                Steps = run.GetProperty("steps").GetInt32(),
                AdapterParameters = parameters.GetProperty("adapter").GetInt64(),
                HeadParameters = parameters.GetProperty("head").GetInt64(),
                Seconds = run.GetProperty("seconds").GetDouble(),
                TrainingSeconds = run.GetProperty("training_seconds").GetDouble(),
                ResumedAfter = run.TryGetProperty("resumed_after_step", out JsonElement resumed) ? resumed.GetInt32() : 0,
                TokensPerSecond = run.GetProperty("tokens_per_second").GetDouble(),
                PeakMemoryMB = run.GetProperty("peak_memory_mb").GetDouble(),
                Family = EncoderFamilies.Of(run.GetProperty("model_type").GetString()!) ?? throw new FormatException("no such family"),
                Ranks = run.TryGetProperty("ranks", out JsonElement ranks) ? ranks.EnumerateObject().ToDictionary(rank => rank.Name, rank => rank.Value.GetInt32()) : [],
                Machine = MachineOf(machine),
                Threads = machine.GetProperty("threads").GetInt32(),
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            throw new InputException($"{path}: this is no record of a run with an evaluation; remove the file and the run is made anew", e);
        }
    }

    private static MetricValue[] MetricsOf(JsonElement metrics) =>
        metrics.EnumerateObject().Select(metric => new MetricValue(metric.Name, metric.Value.ValueKind == JsonValueKind.Number ? metric.Value.GetDouble() : double.NaN)).ToArray()
            is { Length: > 0 } values ? values : throw new FormatException("no metrics");

    private static string MachineOf(JsonElement machine)
    {
        string Text(string name) => machine.GetProperty(name).GetString()!;
        string device = Text("device") is var name and not "cpu" ? $", {name}" : "";
        return $"{Text("system")}, {Text("architecture")}, {machine.GetProperty("processors").GetInt32()} processors, {Text("simd")}, bfloat16 on {Text("bfloat16")}, {Text("runtime")}{device}";
    }
}
