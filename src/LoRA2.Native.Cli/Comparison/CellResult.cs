using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Comparison;

/// <summary>What a finished run left in its training.json.</summary>
internal sealed record CellResult
{
    /// <summary>All metrics of the evaluation with the best primary metric, whose weights are saved.</summary>
    public required IReadOnlyList<MetricValue> Best { get; init; }

    public required int BestStep { get; init; }

    /// <summary>All metrics of the evaluation after the last step.</summary>
    public required IReadOnlyList<MetricValue> Last { get; init; }

    public required int Evaluations { get; init; }

    public required int Steps { get; init; }

    public required long AdapterParameters { get; init; }

    public required long HeadParameters { get; init; }

    /// <summary>Of the whole run, or since it was resumed.</summary>
    public required double Seconds { get; init; }

    /// <summary>The same without evaluations.</summary>
    public required double TrainingSeconds { get; init; }

    /// <summary>The step that the times count from; 0 for the whole run.</summary>
    public required int ResumedAfter { get; init; }

    public required double TokensPerSecond { get; init; }

    public required double PeakMemoryMB { get; init; }

    /// <summary>In words.</summary>
    public required string Machine { get; init; }

    public required int Threads { get; init; }

    /// <summary>What each adapted matrix keeps of its singular values or gates, by module; empty for other methods.</summary>
    public required IReadOnlyDictionary<string, int> Ranks { get; init; }

    /// <summary>The metrics of the run's score, the primary one first.</summary>
    public IReadOnlyList<MetricValue> Metrics(ScoreChoice choice) => choice == ScoreChoice.Best ? Best : Last;

    /// <summary>The score: the primary metric.</summary>
    public double Score(ScoreChoice choice) => Metrics(choice)[0].Value;

    /// <exception cref="InputException">The file is not what finetune writes.</exception>
    public static CellResult Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
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
