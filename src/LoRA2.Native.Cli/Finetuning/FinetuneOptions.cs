using System.CommandLine;
using LoRA2.Native.Adapters;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli.Finetuning;

/// <summary>The options of <c>lora2 finetune</c>. The default of each is in brackets; the quick start has some of its own.</summary>
internal sealed class FinetuneOptions
{
    public Option<string?> Model { get; } = new("--model") { Description = "HuggingFace model folder [all-MiniLM-L6-v2, which comes along]", HelpName = "DIR" };

    public DataOptions Data { get; } = new();

    public Option<string?> Train { get; } = new("--train") { Description = "training data: .tsv, .csv, .jsonl or .parquet, or a folder as HuggingFace's hub has data sets, with its validation split, or of parts alone", HelpName = "FILE" };

    public Option<double?> DevelopmentShare { get; } = NumberOption.Real("--dev-share", "without --dev: share of the training data, of each label alike, that is held out to choose the best weights by [0.1]; 0 for none", 0, 0.9);

    public Option<string?> Development { get; } = new("--dev") { Description = "development data, which the best weights are chosen by", HelpName = "FILE" };

    public Option<string> Output { get; } = new("--output") { Description = $"where the result goes [./{ModelLocation.DefaultFolder}]", HelpName = "DIR", DefaultValueFactory = _ => ModelLocation.DefaultFolder };

    public Option<string?> From { get; } = new("--from") { Description = "adapter to train on, with its method, targets and head; SoRA's schedule of rising thresholds is a chain of such runs", HelpName = "DIR" };

    public Option<bool> Strict { get; } = AdapterWarnings.StrictOption();

    public Option<bool> Preset { get; } = new("--preset") { Description = "the authors' settings for a GLUE task and adalora, lora2 or sora, where nothing else is given" };

    public Option<string?> Method { get; } = Choice("--method", "what is trained [lora2]", [.. AdapterMethods.All.Select(method => method.Name)]);

    /// <summary>The settings of all methods, each once.</summary>
    public IReadOnlyList<Option<string?>> MethodSettings { get; } = [.. MethodSettingOption.All()];

    public Option<string[]> Targets { get; } = new("--targets") { Description = "layers with an adapter [query,key,value,attention.output,intermediate,output]", HelpName = "LIST", AllowMultipleArgumentsPerToken = true };

    public Option<string?> Head { get; } = Choice("--head", "part of the head that is trained [all]", "all", "classifier");

    public Option<int?> TargetRank { get; } = NumberOption.Int("--target-rank", "singular values a matrix keeps in the end, on average [all of them]", 0);

    public Option<StepsOrShare?> BudgetWarmup { get; } = NumberOption.Steps("--budget-warmup", "t_i, before pruning starts [0.1 of the run]");

    public Option<StepsOrShare?> BudgetFinal { get; } = NumberOption.Steps("--budget-final", "t_f, after pruning ends [0.4 of the run]");

    public Option<int?> BudgetInterval { get; } = NumberOption.Int("--budget-interval", "ΔT, steps between prunings [a hundredth of the run]", 1);

    public Option<int?> Epochs { get; } = NumberOption.Int("--epochs", "passes over the training data [3]", 1);

    public Option<int?> MaxSteps { get; } = NumberOption.Int("--max-steps", "steps of the run, whatever the epochs", 1);

    public Option<int?> BatchSize { get; } = NumberOption.Int("--batch-size", "examples a step [32]", 1);

    public Option<int?> Accumulation { get; } = NumberOption.Int("--accumulation", "parts that a batch is computed in, one after the other or by the processes that mpirun started; the result depends on it, and not on the number of processes [1; 8 with mpirun]", 1);

    public Option<double?> LearningRate { get; } = NumberOption.Real("--learning-rate", "after the warm-up [1e-3, or the method's]", 0, 1e6);

    public Option<double?> HeadRate { get; } = NumberOption.Real("--head-rate", "factor of the learning rate of the head [1]", 0, 1e6);

    public Option<string?> Schedule { get; } = Choice("--schedule", "of the learning rate after the warm-up [linear]", "linear", "constant", "cosine");

    public Option<StepsOrShare?> Warmup { get; } = NumberOption.Steps("--warmup", "steps in which the learning rate rises [0.06 of the run]");

    public Option<double?> WeightDecay { get; } = NumberOption.Real("--weight-decay", "of matrices; biases, norms and singular values have none [0.01]", 0, 1e6);

    public Option<double?> Clip { get; } = NumberOption.Real("--clip", "limit of the gradient's norm, 0 for none [1]", 0, 1e6);

    public Option<string?> Precision { get; } = PrecisionOption.Create(trains: true);

    public Option<string?> Device { get; } = DeviceOption.Create();

    public Option<double?> Dropout { get; } = NumberOption.Real("--dropout", "of hidden states and attention probabilities [the model's config]", 0, 0.999);

    public Option<double?> ClassifierDropout { get; } = NumberOption.Real("--classifier-dropout", "of what goes into the classifier [the model's config]", 0, 0.999);

    public Option<int?> MaxLength { get; } = NumberOption.Int("--max-length", "tokens after which an example is cut, special ones included [as many as the model takes]", 4);

    public Option<int?> EvaluateEvery { get; } = NumberOption.Int("--evaluate-every", "steps between evaluations [an epoch]", 1);

    public Option<int?> Patience { get; } = NumberOption.Int("--patience", "stop after that many evaluations without a better score [never]", 1);

    public Option<int?> CheckpointEvery { get; } = NumberOption.Int("--checkpoint-every", "steps between checkpoints, beside those at evaluations; 0 for none [100]", 0);

    public Option<ulong?> Seed { get; } = NumberOption.Seed("--seed", "of everything random [42]");

    public Option<int?> Threads { get; } = NumberOption.Int("--threads", "the result does not depend on it [LORA2_THREADS, else all processors]", 1, 1024);

    public Option<bool> Resume { get; } = new("--resume") { Description = "take up an interrupted run with the same options" };

    public Option<bool> Overwrite { get; } = new("--overwrite") { Description = "replace the result of an earlier run" };

    public Option<bool> Recompute { get; } = new("--recompute") { Description = "compute a layer's activations again in the backward pass: less memory, more time, the same result" };

    public Option<bool> DetectAnomaly { get; } = new("--detect-anomaly") { Description = "name the op that a NaN or an infinity comes from; slow" };

    public Option<bool> Json { get; } = new("--json") { Description = "one JSON object on standard output, all else on standard error" };

    public Option<int?> LogEvery { get; } = NumberOption.Int("--log-every", "steps between lines when there is no terminal [a twentieth of the run]", 1);

    /// <summary>For a process that runs others: they end, having saved, when it does.</summary>
    public Option<bool> StopWithInput { get; } = new("--stop-with-input") { Description = "stop as after an interruption when standard input ends", Hidden = true };

    public IEnumerable<Option> All =>
    [
        Model, .. Data.All, .. Data.KindSettings, Train, Development, DevelopmentShare, Output, From, Strict, Preset, Method, .. MethodSettings, Targets, Head, TargetRank,
        BudgetWarmup, BudgetFinal, BudgetInterval, Epochs, MaxSteps, BatchSize, Accumulation, LearningRate, HeadRate, Schedule, Warmup, WeightDecay, Clip,
        Device, Precision, Dropout, ClassifierDropout, MaxLength, EvaluateEvery, Patience, CheckpointEvery, Seed, Threads, Resume, Overwrite, Recompute, DetectAnomaly, Json, LogEvery, StopWithInput,
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
