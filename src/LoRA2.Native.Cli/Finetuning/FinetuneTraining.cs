using System.CommandLine;
using LoRA2.Native.Adapters;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli.Finetuning;

/// <summary>From the command line to <see cref="TrainingOptions"/>, with the defaults of what was not given.</summary>
internal static class FinetuneTraining
{
    // Tuned on tickets.dev.tsv: see the README's quick start for what they reach.
    public const double QuickDropout = 0.1;
    private const double QuickLearningRate = 4e-3;
    private const int QuickEpochs = 4;
    private const int QuickMaxLength = 64;

    public static TrainingOptions From(ParseResult parsed, FinetuneOptions options, OptionRange range, bool quick)
    {
        AdapterSettings adapter = Adapter(parsed, options, range);
        bool full = adapter.Method == AdapterMethod.Full;
        var defaults = new TrainingOptions();
        StepsOrShare? warmup = parsed.GetValue(options.Warmup);
        return new TrainingOptions
        {
            Adapter = adapter,
            Epochs = range.Int(options.Epochs, 1) ?? (quick ? QuickEpochs : defaults.Epochs),
            MaxSteps = range.Int(options.MaxSteps, 1) ?? 0,
            BatchSize = range.Int(options.BatchSize, 1) ?? defaults.BatchSize,
            Accumulation = range.Int(options.Accumulation, 1) ?? defaults.Accumulation,
            LearningRate = range.Number(options.LearningRate, 0, 1e6) ?? (full ? 5e-5 : quick ? QuickLearningRate : defaults.LearningRate),
            Decay = parsed.GetValue(options.Schedule) switch { "constant" => Decay.Constant, "cosine" => Decay.Cosine, _ => Decay.Linear },
            WarmupShare = warmup is { IsShare: true } share ? share.Value : defaults.WarmupShare,
            WarmupSteps = warmup is { IsShare: false } steps ? (int)steps.Value : null,
            WeightDecay = range.Number(options.WeightDecay, 0, 1e6) ?? defaults.WeightDecay,
            ClipNorm = range.Number(options.Clip, 0, 1e6) ?? defaults.ClipNorm,
            MaxLength = range.Int(options.MaxLength, 4) ?? (quick ? QuickMaxLength : defaults.MaxLength),
            Gamma = range.Number(options.Gamma, 0, 1e6) ?? defaults.Gamma,
            Regulariser = parsed.GetValue(options.Regulariser) is { } kind ? OrthogonalityKinds.Parse(kind) : defaults.Regulariser,
            EvaluateEvery = range.Int(options.EvaluateEvery, 1) ?? 0,
            Patience = range.Int(options.Patience, 1) ?? 0,
            CheckpointEvery = range.Int(options.CheckpointEvery, 0) ?? 100,
            Seed = parsed.GetValue(options.Seed) ?? defaults.Seed,
            DetectAnomaly = parsed.GetValue(options.DetectAnomaly),
        };
    }

    private static AdapterSettings Adapter(ParseResult parsed, FinetuneOptions options, OptionRange range)
    {
        var defaults = new AdapterSettings();
        AdapterMethod method = parsed.GetValue(options.Method) switch { "lora" => AdapterMethod.LoRA, "full" => AdapterMethod.Full, _ => AdapterMethod.LoRA2 };
        Option[] lora2 = [options.OuterRank, options.InitialDeviation, options.Gamma, options.Regulariser];
        Option[] adapters = [options.Rank, options.Alpha, options.Targets, options.Head];
        if (method != AdapterMethod.LoRA2) Refuse(parsed, lora2, "is for --method lora2");
        if (method == AdapterMethod.Full) Refuse(parsed, adapters, "is not for --method full");
        string[] targets = [.. (parsed.GetValue(options.Targets) ?? []).SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        if (targets.Length == 0 && parsed.GetResult(options.Targets) is not null) throw new InputException("option --targets is empty; layers separated by commas were expected");
        return new AdapterSettings
        {
            Method = method,
            Rank = range.Int(options.Rank, 1, 65536) ?? defaults.Rank,
            OuterRank = range.Int(options.OuterRank, 1, 65536) ?? defaults.OuterRank,
            Alpha = range.Number(options.Alpha, -1e6, 1e6) ?? defaults.Alpha,
            InitialDeviation = range.Number(options.InitialDeviation, 0, 1e6) ?? defaults.InitialDeviation,
            Targets = targets.Length == 0 ? defaults.Targets : targets,
            Head = parsed.GetValue(options.Head) == "classifier" ? HeadTraining.Classifier : HeadTraining.PoolerAndClassifier,
        };
    }

    private static void Refuse(ParseResult parsed, ReadOnlySpan<Option> options, string why)
    {
        foreach (Option option in options)
        {
            if (parsed.GetResult(option) is { Implicit: false }) throw new InputException($"{option.Name} {why}");
        }
    }
}
