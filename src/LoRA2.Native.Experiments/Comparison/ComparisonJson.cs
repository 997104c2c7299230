using System.Text.Json;
using LoRA2.Native.Training;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>A comparison as one JSON object.</summary>
public static class ComparisonJson
{
    /// <summary>Writes the object and a line feed.</summary>
    public static void Write(Stream stream, ComparisonTable table)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(table);
        using (var json = new Utf8JsonWriter(stream, JsonFormat.Indented))
        {
            json.WriteStartObject();
            json.WriteString("command", "compare");
            json.WriteString("title", table.Plan.Title);
            json.WriteString("model", table.Plan.Model);
            json.WriteString("score_of", table.Plan.Score == ScoreChoice.Best ? "best evaluation" : "last evaluation");
            json.WriteStartArray("methods");
            foreach (ComparisonRow row in table.Rows) Method(json, table, row);
            json.WriteEndArray();
            json.WriteStartArray("failed");
            foreach (CellOutcome outcome in table.Failed)
            {
                json.WriteStartObject();
                Name(json, outcome.Cell);
                json.WriteString("reason", outcome.Failure);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        stream.Write("\n"u8);
    }

    private static void Method(Utf8JsonWriter json, ComparisonTable table, ComparisonRow row)
    {
        json.WriteStartObject();
        json.WriteString("name", row.Method.Name);
        json.WriteStartObject("tasks");
        foreach (ComparisonCell cell in row.Tasks)
        {
            json.WriteStartObject(cell.Task.Name);
            json.WriteString("metric", ComparisonMarkdown.MetricName(cell.Task));
            Summary(json, cell.Score);
            json.WriteStartObject("seeds");
            foreach ((ulong seed, double value) in cell.Scores) TrainingJson.Number(json, $"{seed}", value);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteStartObject("average");
        Summary(json, row.Average);
        json.WriteEndObject();
        json.WriteStartArray("runs");
        foreach (CellOutcome outcome in table.Outcomes.Where(outcome => outcome.Cell.Method == row.Method.Name)) Run(json, outcome);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Run(Utf8JsonWriter json, CellOutcome outcome)
    {
        if (outcome.Result is not { } result) return;
        json.WriteStartObject();
        Name(json, outcome.Cell);
        json.WriteNumber("adapter_parameters", result.AdapterParameters);
        json.WriteNumber("head_parameters", result.HeadParameters);
        json.WriteNumber("seconds", result.Seconds);
        json.WriteNumber("tokens_per_second", result.TokensPerSecond);
        json.WriteNumber("peak_memory_mb", result.PeakMemoryMB);
        json.WriteString("folder", outcome.Cell.Folder);
        json.WriteEndObject();
    }

    private static void Name(Utf8JsonWriter json, Cell cell)
    {
        json.WriteString("method", cell.Method);
        json.WriteString("task", cell.Task.Name);
        json.WriteNumber("seed", cell.Seed);
    }

    private static void Summary(Utf8JsonWriter json, ScoreSummary? score)
    {
        if (score is null) return;
        json.WriteNumber("n", score.Count);
        TrainingJson.Number(json, "mean", score.Mean);
        if (score.StandardError is { } error) TrainingJson.Number(json, "standard_error", error);
    }
}
