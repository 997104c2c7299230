using LoRA2.Native.Experiments.Comparison;
using LoRA2.Native.Files;

namespace LoRA2.Native.Experiments;

/// <summary>The authors' settings for GLUE on DeBERTa-v3-base, as options of a run; what is given beside them precedes them.</summary>
public static class GluePreset
{
    /// <summary>AdaLoRA's scripts; LoRA2's keep them but for the ranks and what is in <see cref="ForLoRA2"/>.</summary>
    private static readonly Row[] AdaLoRA =
    [
        new("CoLA", "8e-4", 25, 64, "100", "0.1", 800, 3500, 10, 3, 1, 32, "0.1", "0"),
        new("SST-2", "8e-4", 24, 128, "1000", "0.1", 6000, 22000, 100, 2, 1, 16, "0", "0.01"),
        new("MRPC", "1e-3", 30, 320, "0.1", "0.1", 600, 1800, 1, 2, 1, 32, "0", "0.01"),
        new("QQP", "8e-4", 5, 320, "2000", "0.1", 8000, 25000, 100, 2, 1, 16, "0.15", "0.01"),
        new("STS-B", "2.2e-3", 25, 128, "100", "0.3", 800, 2000, 10, 2, 1, 32, "0.2", "0.1"),
        new("MNLI", "5e-4", 7, 256, "1000", "0.1", 8000, 50000, 100, 3, 1, 16, "0.15", "0"),
        new("QNLI", "5e-4", 5, 512, "500", "0.1", 2000, 8000, 100, 2, 1, 32, "0.1", "0.01"),
        new("RTE", "1.2e-3", 50, 320, "200", "0.3", 600, 1800, 1, 2, 1, 32, "0.2", "0.01"),
    ];

    /// <summary>Both start from Gaussian factors, and all of them move at one rate.</summary>
    private static readonly RunOption[] Start = [new("init", "gaussian"), new("singular-value-rate", "1")];

    /// <summary>The options and their values.</summary>
    /// <exception cref="InputException">There are none for this task and method.</exception>
    public static IReadOnlyList<RunOption> Of(string task, string method)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(method);
        if (Array.Find(AdaLoRA, row => row.Task == task) is not { } row) throw new InputException($"there is no preset for task {task}; there are {string.Join(", ", AdaLoRA.Select(each => each.Task))}");
        return method switch
        {
            "adalora" => [.. row.Options(), .. Start],
            "lora2" => [.. ForLoRA2(row).Options(), new("outer-rank", "8"), .. Start, new("init-std", "0.02")],
            "sora" =>
            [
                new("learning-rate", "8e-4"), new("epochs", "20"), new("batch-size", "8"), new("max-length", "128"), new("warmup", "0.06"), new("weight-decay", "0.1"), new("rank", "8"),
                new("gate-penalty", "10"), new("gate-threshold", "3e-4"),
            ],
            _ => throw new InputException($"there is no preset for --method {method}; there are adalora, lora2, sora"),
        };
    }

    private static Row ForLoRA2(Row row) => row.Task switch
    {
        "CoLA" or "RTE" => row with { Rank = 4, TargetRank = 3 },
        "MNLI" => row with { Rank = 8, TargetRank = 3 },
        "MRPC" => row with { Rank = 8, TargetRank = 1 },
        "QNLI" => row with { Rank = 8, TargetRank = 2, LearningRate = "1.2e-3" },
        "QQP" => row with { Rank = 8, TargetRank = 3, Epochs = 20 },
        "SST-2" => row with { Rank = 8, TargetRank = 2 },
        _ => row with { Rank = 4, TargetRank = 1 },
    };

    private sealed record Row(
        string Task, string LearningRate, int Epochs, int MaxLength, string Warmup, string Gamma, int BudgetWarmup, int BudgetFinal, int BudgetInterval, int Rank, int TargetRank, int Alpha,
        string ClassifierDropout, string WeightDecay)
    {
        public IReadOnlyList<RunOption> Options() =>
        [
            new("learning-rate", LearningRate), new("epochs", $"{Epochs}"), new("batch-size", "32"), new("max-length", $"{MaxLength}"), new("warmup", Warmup), new("weight-decay", WeightDecay),
            new("classifier-dropout", ClassifierDropout), new("rank", $"{Rank}"), new("alpha", $"{Alpha}"), new("gamma", Gamma), new("target-rank", $"{TargetRank}"),
            new("budget-warmup", $"{BudgetWarmup}"), new("budget-final", $"{BudgetFinal}"), new("budget-interval", $"{BudgetInterval}"),
        ];
    }
}
