namespace LoRA2.Native.Experiments.Reproduction;

/// <summary>
/// Figures that the paper prints (arXiv 2408.06854), as far as they are known here. DeBERTa-v3-base, development sets, in per cent; two for QQP (accuracy, F1) and MNLI (matched, mismatched).
/// </summary>
public static class PaperFigures
{
    /// <summary>The tasks in the order of the paper's table.</summary>
    public static readonly IReadOnlyList<string> TaskOrder = ["CoLA", "SST-2", "MRPC", "QQP", "STS-B", "MNLI", "QNLI", "RTE"];

    /// <summary>Table 1's rows.</summary>
    public static readonly IReadOnlyList<PaperRow> Glue =
    [
        Row("full fine-tuning", "184M", 87.82, [69.21], [95.64], [89.22], [92.05, 89.31], [91.59], [89.98, 89.95], [93.78], [82.49]),
        Row("BitFit", "0.1M", 85.18, [68.70], [94.38], [87.16], [87.86, 84.20], [89.71], [87.45, 87.45], [91.90], [76.12]),
        Row("AdaLoRA r=2", "0.32M", 88.86, [70.04], [95.80], [90.44], [91.78, 89.16], [91.63], [90.66, 90.70], [94.49], [87.36]),
        Row("LoRA r=1", "0.17M", 87.23, [68.60], [94.95], [88.24], [91.20, 88.37], [91.41], [90.09, 90.28], [93.35], [81.29]),
        Row("SoRA r=1", "0.12M", 87.85, [70.24], [95.14], [89.22], [91.52, 88.73], [91.41], [90.08, 90.41], [93.43], [83.02]),
        Row("LoRA2 k=1", "0.17M", 89.06, [70.63], [95.64], [90.93], [91.62, 88.05], [91.69], [90.19, 90.38], [93.92], [89.53]),
        Row("AdaLoRA r=8", "1.27M", 89.31, [71.45], [96.10], [90.69], [92.23, 89.74], [91.84], [90.76, 90.79], [94.55], [88.09]),
        Row("LoRA r=8", "1.33M", 88.38, [69.73], [95.57], [89.71], [91.95, 89.26], [91.86], [90.47, 90.46], [93.76], [85.32]),
        Row("SoRA r=8", "0.91M", 89.36, [71.48], [95.64], [91.98], [92.39, 89.87], [92.22], [90.35, 90.38], [94.28], [87.77]),
        Row("LoRA2 k=8", "1.33M", 89.68, [72.30], [95.76], [91.42], [92.25, 89.74], [91.92], [90.43, 90.23], [94.28], [88.45]),
    ];

    /// <summary>Parameters by adapted matrices, k and r = 8.</summary>
    public static readonly IReadOnlyList<PaperRow> Targets =
    [
        new("query, key, k=1", "37.4k", null, NoScores), new("query, key, value, k=1", "56.2k", null, NoScores), new("all six, k=1", "167.6k", null, NoScores), new("all six, k=8", "1.33M", null, NoScores),
    ];

    /// <summary>Seconds a step of LoRA2 and AdaLoRA by task, batch 32.</summary>
    public static readonly IReadOnlyDictionary<string, (double LoRA2, double AdaLoRA)> StepSeconds = new Dictionary<string, (double LoRA2, double AdaLoRA)> { ["CoLA"] = (1.14, 1.01) };

    /// <summary>LoRA2's time over AdaLoRA's, least and greatest.</summary>
    public const string StepRatio = "1.13 to 1.17";

    private static IReadOnlyDictionary<string, IReadOnlyList<double>> NoScores => new Dictionary<string, IReadOnlyList<double>>();

    private static PaperRow Row(string name, string parameters, double average, params double[][] scores) =>
        new(name, parameters, average, TaskOrder.Zip(scores).ToDictionary(pair => pair.First, pair => (IReadOnlyList<double>)pair.Second));
}

/// <summary>A row of a table of the paper.</summary>
/// <param name="Name">The row's name here.</param>
/// <param name="Parameters">As printed.</param>
/// <param name="Average">As printed, or null.</param>
/// <param name="Scores">By task, in per cent; a task that is missing is not known here.</param>
public sealed record PaperRow(string Name, string? Parameters, double? Average, IReadOnlyDictionary<string, IReadOnlyList<double>> Scores)
{
    /// <summary>The mean over some tasks, two figures of a task counting half each, as in the paper's own averages; null when one is not known.</summary>
    public double? AverageOver(IEnumerable<string> tasks)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        return tasks.All(Scores.ContainsKey) ? tasks.Average(task => Scores[task].Average()) : null;
    }
}
