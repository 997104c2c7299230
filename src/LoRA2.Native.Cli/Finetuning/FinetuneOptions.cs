using System.CommandLine;
using LoRA2.Native.Adapters;
using LoRA2.Native.Tensors;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli.Finetuning;

/// <summary>The options of <c>lora2 finetune</c>. The default of each is in brackets; the quick start has some of its own.</summary>
internal sealed class FinetuneOptions
{
    public Option<string?> Model { get; } = new("--model") { Description = "HuggingFace model folder [the embedded model]", HelpName = "DIR" };

    public DataOptions Data { get; } = new();

    public Option<string?> Train { get; } = new("--train") { Description = "training data: .tsv, .csv or .jsonl", HelpName = "FILE" };

    public Option<string?> Development { get; } = new("--dev") { Description = "development data, which the best weights are chosen by", HelpName = "FILE" };

    public Option<bool> Regression { get; } = new("--regression") { Description = "the labels are numbers to be predicted" };

    public Option<string> Output { get; } = new("--output") { Description = $"where the result goes [./{ModelLocation.DefaultFolder}]", HelpName = "DIR", DefaultValueFactory = _ => ModelLocation.DefaultFolder };

    public Option<string?> Method { get; } = Choice("--method", "what is trained [lora2]", "lora2", "lora", "full");

    public Option<int?> Rank { get; } = new("--rank") { Description = "r: LoRA's rank, LoRA2's number of singular values [8]", HelpName = "N" };

    public Option<int?> OuterRank { get; } = new("--outer-rank") { Description = "k: rank of LoRA2's outer factors [8]", HelpName = "N" };

    public Option<double?> Alpha { get; } = new("--alpha") { Description = "the update's scale is alpha / r [16]", HelpName = "X" };

    public Option<string[]> Targets { get; } = new("--targets") { Description = "layers with an adapter [query,key,value,attention.output,intermediate,output]", HelpName = "LIST", AllowMultipleArgumentsPerToken = true };

    public Option<string?> Head { get; } = Choice("--head", "part of the head that is trained [all]", "all", "classifier");

    public Option<double?> InitialDeviation { get; } = new("--init-std") { Description = "standard deviation of LoRA2's factors at the start [0.02]", HelpName = "X" };

    public Option<double?> Gamma { get; } = new("--gamma") { Description = "weight of the orthogonality loss [0.1]", HelpName = "X" };

    public Option<string?> Regulariser { get; } = Choice("--regulariser", "which orthogonality loss [all]", [.. OrthogonalityKinds.All]);

    public Option<int?> TargetRank { get; } = new("--target-rank") { Description = "singular values a matrix keeps in the end, on average [all of them]", HelpName = "N" };

    public Option<StepsOrShare?> BudgetWarmup { get; } = StepsOrShare.Option("--budget-warmup", "t_i, before pruning starts [0.1 of the run]");

    public Option<StepsOrShare?> BudgetFinal { get; } = StepsOrShare.Option("--budget-final", "t_f, after pruning ends [0.4 of the run]");

    public Option<int?> BudgetInterval { get; } = new("--budget-interval") { Description = "ΔT, steps between prunings [a hundredth of the run]", HelpName = "N" };

    public Option<string?> Importance { get; } = Choice("--importance", "sensitivities that a singular value is judged by [reduced]", "reduced", "full");

    public Option<int?> Epochs { get; } = new("--epochs") { Description = "passes over the training data [3]", HelpName = "N" };

    public Option<int?> MaxSteps { get; } = new("--max-steps") { Description = "steps of the run, whatever the epochs", HelpName = "N" };

    public Option<int?> BatchSize { get; } = new("--batch-size") { Description = "examples a step [32]", HelpName = "N" };

    public Option<int?> Accumulation { get; } = new("--accumulation") { Description = "parts that a batch is computed in [1]", HelpName = "N" };

    public Option<double?> LearningRate { get; } = new("--learning-rate") { Description = "after the warm-up [1e-3; 5e-5 for full]", HelpName = "X" };

    public Option<string?> Schedule { get; } = Choice("--schedule", "of the learning rate after the warm-up [linear]", "linear", "constant", "cosine");

    public Option<StepsOrShare?> Warmup { get; } = StepsOrShare.Option("--warmup", "steps in which the learning rate rises [0.06 of the run]");

    public Option<double?> WeightDecay { get; } = new("--weight-decay") { Description = "of matrices; biases, norms and singular values have none [0.01]", HelpName = "X" };

    public Option<double?> Clip { get; } = new("--clip") { Description = "limit of the gradient's norm, 0 for none [1]", HelpName = "X" };

    public Option<double?> Dropout { get; } = new("--dropout") { Description = "of hidden states and attention probabilities [the model's config]", HelpName = "P" };

    public Option<int?> MaxLength { get; } = new("--max-length") { Description = "tokens after which an example is cut [128]", HelpName = "N" };

    public Option<int?> EvaluateEvery { get; } = new("--evaluate-every") { Description = "steps between evaluations [an epoch]", HelpName = "N" };

    public Option<int?> Patience { get; } = new("--patience") { Description = "stop after that many evaluations without a better score [never]", HelpName = "N" };

    public Option<int?> CheckpointEvery { get; } = new("--checkpoint-every") { Description = "steps between checkpoints, beside those at evaluations; 0 for none [100]", HelpName = "N" };

    public Option<ulong?> Seed { get; } = new("--seed") { Description = "of everything random [42]", HelpName = "N" };

    public Option<int?> Threads { get; } = new("--threads") { Description = "the result does not depend on it [LORA2_THREADS, else all processors]", HelpName = "N" };

    public Option<bool> Resume { get; } = new("--resume") { Description = "take up an interrupted run with the same options" };

    public Option<bool> Overwrite { get; } = new("--overwrite") { Description = "replace the result of an earlier run" };

    public Option<bool> DetectAnomaly { get; } = new("--detect-anomaly") { Description = "name the op that a NaN or an infinity comes from; slow" };

    public Option<bool> Json { get; } = new("--json") { Description = "one JSON object on standard output, all else on standard error" };

    public Option<int?> LogEvery { get; } = new("--log-every") { Description = "steps between lines when there is no terminal [a twentieth of the run]", HelpName = "N" };

    public IEnumerable<Option> All =>
    [
        Model, .. Data.All, Train, Development, Regression, Output, Method, Rank, OuterRank, Alpha, Targets, Head, InitialDeviation, Gamma, Regulariser, TargetRank,
        BudgetWarmup, BudgetFinal, BudgetInterval, Importance, Epochs, MaxSteps, BatchSize, Accumulation, LearningRate, Schedule, Warmup, WeightDecay, Clip,
        Dropout, MaxLength, EvaluateEvery, Patience, CheckpointEvery, Seed, Threads, Resume, Overwrite, DetectAnomaly, Json, LogEvery,
    ];

    private static Option<string?> Choice(string name, string description, params string[] choices)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = string.Join('|', choices) };
        option.Validators.Add(result =>
        {
            foreach (System.CommandLine.Parsing.Token token in result.Tokens)
            {
                if (!choices.Contains(token.Value)) result.AddError($"option {name} is '{token.Value}'; {string.Join(", ", choices)} can be");
            }
        });
        return option;
    }
}
