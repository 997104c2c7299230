using System.CommandLine;
using LoRA2.Native.Adapters;
using LoRA2.Native.Cli.Distribution;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli.Finetuning;

/// <summary>What <c>lora2 finetune</c> was asked for.</summary>
internal sealed record FinetuneRequest
{
    public required string Model { get; init; }

    /// <summary>What the adapter's config calls the model.</summary>
    public required string ModelName { get; init; }

    public required string Output { get; init; }

    /// <summary>Without the budget: that depends on the number of steps.</summary>
    public required TrainingOptions Training { get; init; }

    public BudgetRequest? Budget { get; init; }

    public Precision Precision { get; init; }

    public double? Dropout { get; init; }

    public double? ClassifierDropout { get; init; }

    /// <summary>The adapter that training goes on from, or null.</summary>
    public string? Earlier { get; init; }

    /// <summary>Whether an adapter to go on from that is doubtful is refused.</summary>
    public bool Strict { get; init; }

    /// <summary>Options that came from a preset, with their values.</summary>
    public IReadOnlyList<(string Option, string Value)> Preset { get; init; } = [];

    public string? Device { get; init; }

    public int? Threads { get; init; }

    public int LogEvery { get; init; }

    public bool IsQuickStart { get; init; }

    /// <summary>Whether the weights are drawn, not read.</summary>
    public bool FromScratch { get; init; }

    public bool Resume { get; init; }

    public bool Overwrite { get; init; }

    public bool Json { get; init; }

    public bool StopWithInput { get; init; }

    /// <exception cref="InputException">Two options contradict each other.</exception>
    public static FinetuneRequest From(ParseResult parsed, FinetuneOptions options)
    {
        bool quick = parsed.GetValue(options.Train) is null && parsed.GetValue(options.Data.Task) is null && parsed.GetValue(options.Data.Folder) is null;
        if (!quick && parsed.GetValue(options.Train) is null && parsed.GetValue(options.Data.Folder) is null && TaskKinds.Of(parsed.GetValue(options.Data.Task)!) is { } kind)
            throw new InputException($"--task {kind.Name} needs --train, the data to learn from");
        string? model = parsed.GetValue(options.Model);
        if (quick && model is not null and not QuickStart.ModelName)
            throw new InputException("--model was given without data: add --task and --data, or --train");
        if (quick && parsed.GetValue(options.Development) is not null) throw new InputException("--dev was given without --train");
        return Of(parsed, options, quick);
    }

    /// <summary>The same for masked language modelling, where text has been asked for already.</summary>
    /// <exception cref="InputException">Two options contradict each other.</exception>
    public static FinetuneRequest ForPretraining(ParseResult parsed, FinetuneOptions options, bool fromScratch)
    {
        if (parsed.GetValue(options.Model) is null) throw new InputException("--model is missing: the folder of the encoder that is to be pretrained");
        FinetuneRequest request = Of(parsed, options, quick: false) with { FromScratch = fromScratch };
        if (fromScratch && request.Earlier is not null) throw new InputException("--from is an adapter of a model that is there; leave out --from-scratch");
        if (fromScratch && request.Training.Adapter.Method.PeftType is not null)
            throw new InputException($"--from-scratch needs --method full: an adapter of --method {request.Training.Adapter.Method.Name} leaves the weights that were drawn as they are");
        return request;
    }

    /// <summary>The same for processes that MPI started, where a batch is computed in parts.</summary>
    /// <exception cref="InputException">Something is asked for that several processes can't do.</exception>
    public FinetuneRequest Shared(ParseResult parsed, FinetuneOptions options, ProcessGroup? group)
    {
        if (group is null) return this;
        if (group.Communicator is { } several)
        {
            if (Device is not (null or "cpu")) throw new InputException($"--device {Device} is for one process; {several.Size} train on the CPU");
            if (StopWithInput) throw new InputException("--stop-with-input is for one process");
        }

        return parsed.GetValue(options.Accumulation) is null ? this with { Training = Training with { Accumulation = ProcessGroup.UsualParts } } : this;
    }

    private static FinetuneRequest Of(ParseResult parsed, FinetuneOptions options, bool quick)
    {
        string? model = parsed.GetValue(options.Model);
        bool embedded = model is null || ModelLocation.Named(model) == QuickStart.Model;
        string output = parsed.GetValue(options.Output)!;
        if (output.Length == 0) throw new InputException("option --output is empty; a folder's name was expected");
        if (!embedded && Path.GetFullPath(output) == Path.GetFullPath(model!)) throw new InputException($"--output '{output}' is the model's own folder; choose another");
        string? from = parsed.GetValue(options.From);
        if (from is null && parsed.GetValue(options.Strict)) throw new InputException("--strict is about the adapter of --from; add --from, or leave out --strict");
        if (from is not null && Path.GetFullPath(output) == Path.GetFullPath(from)) throw new InputException($"--output '{output}' is the folder of --from; choose another");
        TrainingOptions training = FinetuneTraining.From(parsed, options, quick);
        return new FinetuneRequest
        {
            Model = embedded ? QuickStart.Model : model!,
            ModelName = embedded ? QuickStart.ModelName : Path.GetFullPath(model!),
            Output = output,
            Training = training,
            Budget = BudgetRequest.From(parsed, options, training.Adapter),
            Precision = PrecisionOption.Parse(parsed.GetValue(options.Precision)),
            Dropout = parsed.GetValue(options.Dropout) ?? (quick ? FinetuneTraining.QuickDropout : null),
            ClassifierDropout = parsed.GetValue(options.ClassifierDropout),
            Earlier = from,
            Strict = parsed.GetValue(options.Strict),
            Device = parsed.GetValue(options.Device),
            Threads = parsed.GetValue(options.Threads),
            LogEvery = parsed.GetValue(options.LogEvery) ?? 0,
            IsQuickStart = quick,
            Resume = parsed.GetValue(options.Resume),
            Overwrite = parsed.GetValue(options.Overwrite),
            Json = parsed.GetValue(options.Json),
            StopWithInput = parsed.GetValue(options.StopWithInput),
        };
    }
}

/// <summary>The options of pruning, before the number of steps is known.</summary>
internal sealed record BudgetRequest(int TargetRank, StepsOrShare Warmup, StepsOrShare Final, int? Interval)
{
    public static BudgetRequest? From(ParseResult parsed, FinetuneOptions options, AdapterSettings adapter)
    {
        int? target = parsed.GetValue(options.TargetRank);
        if (target is null)
        {
            Option? importance = options.MethodSettings.FirstOrDefault(option => option.Name == "--importance");
            foreach (Option? option in (Option?[])[options.BudgetWarmup, options.BudgetFinal, options.BudgetInterval, importance])
            {
                if (option is not null && parsed.GetResult(option) is { Implicit: false }) throw new InputException($"{option.Name} needs --target-rank: without it nothing is pruned");
            }

            return null;
        }

        if (!adapter.Method.HasSingularValues)
            throw new InputException($"--target-rank needs --method {string.Join(" or ", AdapterMethods.All.Where(method => method.HasSingularValues).Select(method => method.Name))}: only singular values can be pruned");
        if (target > adapter.Method.InitialRank) throw new InputException($"option --target-rank is {target}; at most --rank, {adapter.Method.InitialRank}, was expected");
        return new BudgetRequest(
            target.Value, parsed.GetValue(options.BudgetWarmup) ?? new(0.1), parsed.GetValue(options.BudgetFinal) ?? new(0.4), parsed.GetValue(options.BudgetInterval));
    }

    public BudgetOptions Of(int totalSteps) =>
        new(TargetRank, Warmup.Of(totalSteps), Final.Of(totalSteps), Interval ?? Math.Clamp(totalSteps / 100, 1, 100));
}
