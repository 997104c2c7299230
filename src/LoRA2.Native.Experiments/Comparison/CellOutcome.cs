namespace LoRA2.Native.Experiments.Comparison;

/// <summary>A cell and what became of it.</summary>
/// <param name="Cell">The cell.</param>
/// <param name="Result">Null when it is not finished.</param>
/// <param name="Failure">Why it failed, or null.</param>
public sealed record CellOutcome(Cell Cell, CellResult? Result, string? Failure)
{
    /// <summary>The outcome in words, for a line of progress.</summary>
    public string Describe(ScoreChoice score)
    {
        if (Result is not { } result) return $"{Cell}: {(Failure is null ? "not finished" : $"failed: {Failure}")}";
        string metrics = string.Join(", ", result.Metrics(score).Select(metric => $"{metric.Name} {metric.Value:F4}"));
        string which = score == ScoreChoice.Best ? $"best of {result.Evaluations} evaluations, after step {result.BestStep}" : $"after the last step, {result.Steps}";
        return $"{Cell}: {metrics} ({which}), {result.Seconds:F0} s";
    }
}
