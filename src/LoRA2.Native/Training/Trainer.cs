using System.Diagnostics;
using LoRA2.Native.Adapters;
using LoRA2.Native.Communication;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Training.Distribution;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoRA2.Native.Training;

/// <summary>
/// Fine-tunes a model. The result is a function of the model, the data and the options alone: the same bits for any number of threads and of processes, and for a
/// run that was killed and resumed.
/// </summary>
public sealed class Trainer : IDisposable
{
    private readonly SequenceClassifier model;
    private readonly TrainingOptions options;
    private readonly TokenizedDataset train;
    private readonly TokenizedDataset? development;
    private readonly IReadOnlyDictionary<string, TokenizedDataset> further;
    private readonly IReadOnlyList<Metric> metrics;
    private readonly Adapter[] adapters;
    private readonly AdapterMethod method;
    private readonly AdamWOptimizer optimizer;
    private readonly LearningRateSchedule schedule;
    private readonly LearningRateSchedule rankSchedule;
    private readonly RankAllocator? allocator;
    private readonly TrainingState state;
    private readonly StepRunner runner;
    private readonly List<StepResult> started = [];
    private readonly List<StepResult> settled = [];
    private readonly ILogger logger;
    private readonly Communicator? communicator;
    private readonly SlowProcess? slow;
    private readonly int stepsPerEpoch;
    private int[][] batches = [];
    private int plannedEpoch = -1;
    private readonly Lock gate = new();
    private long tokens;
    private bool disposed;

    /// <summary>Prepares a run. What is trained must have been attached to the model already (<see cref="AdapterAttachment.Attach"/>).</summary>
    /// <param name="model">The model; its trainable parameters change.</param>
    /// <param name="options">The options.</param>
    /// <param name="train">Training data with targets.</param>
    /// <param name="development">
    /// Data to evaluate on and choose the best weights by, or null. Of a run with a budget only weights within the target are chosen from: what is saved is what was asked for.
    /// </param>
    /// <param name="metrics">The metrics, the primary one first.</param>
    /// <param name="logger">Told of evaluations and checkpoints, or null.</param>
    /// <param name="further">Data that every evaluation scores besides, by the prefix of their metrics' names; the choice of the best weights is not theirs.</param>
    /// <param name="communicator">
    /// The processes that train together, each with the same model, options and data and a trainer of its own, or null: each computes some of the
    /// <see cref="TrainingOptions.Accumulation"/> parts of every batch, and ends with the same bits as one process does. Process 0 writes checkpoints.
    /// </param>
    /// <exception cref="InputException">The options contradict each other or the data.</exception>
    public Trainer(
        SequenceClassifier model, TrainingOptions options, TokenizedDataset train, TokenizedDataset? development, IReadOnlyList<Metric> metrics, ILogger? logger = null,
        IReadOnlyDictionary<string, TokenizedDataset>? further = null, Communicator? communicator = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(metrics);
        this.logger = logger ?? NullLogger.Instance;
        this.model = model;
        this.options = options;
        this.train = train;
        this.development = development;
        this.further = further ?? new Dictionary<string, TokenizedDataset>();
        this.metrics = metrics;
        this.communicator = communicator is { Size: > 1 } ? communicator : null;
        Require();
        stepsPerEpoch = ((train.Count - 1) / options.BatchSize) + 1;
        TotalSteps = options.StepsOf(train.Count);
        method = options.Adapter.Method;
        adapters = [.. model.Adapters()];
        schedule = new LearningRateSchedule(
            options.LearningRate, options.WarmupSteps ?? (int)Math.Ceiling(options.WarmupShare * TotalSteps), TotalSteps, options.Decay);
        rankSchedule = method.RankWarmup is { } share ? schedule with { WarmupSteps = (int)Math.Ceiling(share * TotalSteps) } : schedule;
        optimizer = new AdamWOptimizer(Groups());
        allocator = Allocator();
        runner = new StepRunner(model, options, train, optimizer, adapters, this.communicator);
        if (this.communicator is { IsFirst: true } several) slow = new SlowProcess(several);
        state = new TrainingState(new TrainingSeries(TotalSteps, adapters, allocator));
    }

    /// <summary>Steps of the whole run.</summary>
    public int TotalSteps { get; }

    /// <summary>Steps done.</summary>
    public int Step => state.Step;

    /// <summary>The rank allocator, or null without a budget.</summary>
    public RankAllocator? Ranks => allocator;

    /// <summary>The run so far, step by step.</summary>
    public TrainingSeries Series => state.Series;

    /// <summary>Every evaluation so far.</summary>
    public IReadOnlyList<EvaluationPoint> Evaluations => state.History;

    /// <summary>The best of those that may choose, or null.</summary>
    public EvaluationPoint? Best => state.Best is { } weights ? state.History.First(point => point.Step == weights.Step) : null;

    /// <summary>What the best weights make of each example of the development data, see <see cref="Evaluator.Predictions"/>; null before the first evaluation.</summary>
    public IReadOnlyList<float>? BestPredictions => state.Best?.Predictions;

    /// <summary>What this run's bits depend on.</summary>
    public RunFingerprint Fingerprint => field ??= RunFingerprint.Of(model, options, further.Values.Prepend<TokenizedDataset?>(development).OfType<TokenizedDataset>().Prepend(train));

    /// <summary>Runs to the end; the model then has the best weights, or the last without development data.</summary>
    /// <param name="checkpoint">Where checkpoints are written, or null for none.</param>
    /// <param name="progress">Told of every step, on this thread's synchronisation context; on a GPU of up to sixteen at once, when their losses are read.</param>
    /// <param name="cancellation">Stops after the step in progress, when a checkpoint was written.</param>
    /// <exception cref="OperationCanceledException">Cancelled; the checkpoint has everything.</exception>
    /// <exception cref="TrainingException">The loss was NaN or infinite; the last checkpoint is intact.</exception>
    /// <exception cref="ObjectDisposedException">The trainer or the model was disposed, perhaps meanwhile.</exception>
    /// <exception cref="InputException">Of several processes one has another run than process 0.</exception>
    /// <exception cref="CommunicationException">Of several processes one is no more; the last checkpoint is intact.</exception>
    /// <remarks>When one of several processes is cancelled, all stop after the same step. They can't go on when one ends by an exception of its own: the others are told.</remarks>
    public TrainingResult Run(string? checkpoint = null, IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (communicator is null) return RunSteps(checkpoint, progress, cancellation);
        OrTell(() => RunAgreement.Require(communicator, Fingerprint, model, state.Step), e => e is InputException);
        TrainingResult? result = null;
        OrTell(() => result = RunSteps(checkpoint, progress, cancellation), e => e is TrainingException { IsOfAll: true } || e is OperationCanceledException && runner.Words!.IsStopWanted);
        return result!;
    }

    /// <summary>Does something that all processes do. When this one alone can't, the others, who wait for it, are told.</summary>
    private void OrTell(Action action, Func<Exception, bool> isOfAll)
    {
        try
        {
            action();
        }
        catch (Exception e) when (!isOfAll(e))
        {
            communicator!.Abort(e.Message);
            throw;
        }
    }

    private TrainingResult RunSteps(string? checkpoint, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var pause = new Stopwatch();
        int first = state.Step;
        tokens = 0;
        runner.Words?.Forget();
        while (state.Step < TotalSteps && !state.StoppedEarly)
        {
            using Lock.Scope turn = Turn();
            if (communicator is null ? cancellation.IsCancellationRequested : runner.Words!.IsStopWanted)
            {
                Save(checkpoint);
                throw new OperationCanceledException(cancellation);
            }

            TrainStep(BatchOf(state.Step), cancellation.IsCancellationRequested);
            Evaluation? evaluation = null;
            if (IsEvaluationDue())
            {
                pause.Start();
                evaluation = Evaluate();
                pause.Stop();
            }

            bool last = state.Step == TotalSteps || state.StoppedEarly;
            if (!last && (evaluation is not null || IsCheckpointDue())) Save(checkpoint);
            if (progress is not null) Report(progress, evaluation, first, clock.Elapsed, clock.Elapsed - pause.Elapsed);
            settled.Clear();
        }

        using Lock.Scope end = Turn();
        using (model.Change()) state.Best?.Restore(model);
        return new TrainingResult(Best, [.. state.History], state.Step, state.StoppedEarly, state.LastLoss, tokens, clock.Elapsed, clock.Elapsed - pause.Elapsed);
    }

    /// <summary>Takes up the run where a checkpoint left it, with any number of processes; process 0 reads the file, which the others need not have.</summary>
    /// <exception cref="InputException">The checkpoint is damaged or belongs to another run.</exception>
    public void Resume(string checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        using Lock.Scope turn = Turn();
        using ModelAccess.Lease change = model.Change();
        void Load(string path) => Checkpoint.Load(path, Fingerprint, model, optimizer, allocator, state);
        if (communicator is null) Load(checkpoint);
        else OrTell(() => SharedFile.Read(communicator, checkpoint, Load), e => e is InputException);
    }

    /// <summary>Writes a checkpoint of everything the rest of the run depends on.</summary>
    public void Save(string? checkpoint)
    {
        using Lock.Scope turn = Turn();
        if (checkpoint is null || communicator is { IsFirst: false }) return;
        Settle();
        using ModelAccess.Lease pass = model.Hold();
        Checkpoint.Save(checkpoint, Fingerprint, model, optimizer, allocator, state);
        TrainingLog.CheckpointWritten(logger, state.Step, TotalSteps, checkpoint);
    }

    /// <summary>Frees the optimiser's and the scorers' memory, after the step that another thread may be in.</summary>
    public void Dispose()
    {
        using Lock.Scope turn = gate.EnterScope();
        if (disposed) return;
        disposed = true;
        runner.Dispose();
        optimizer.Dispose();
        allocator?.Dispose();
        state.Dispose();
    }

    /// <summary>The trainer's memory is there until the result is disposed.</summary>
    private Lock.Scope Turn()
    {
        Lock.Scope turn = gate.EnterScope();
        if (!disposed) return turn;
        turn.Dispose();
        throw new ObjectDisposedException(nameof(Trainer));
    }

    private void TrainStep(int[] batch, bool wantsToStop)
    {
        // Others may ask the model between steps, not in the middle of one.
        using ModelAccess.Lease change = model.Change();
        // What is made on the way lives until the end of the step, when the next may use it again.
        using TensorScope scope = model.OpenScope();
        double rate = schedule.At(state.Step);
        try
        {
            optimizer.Prepare(rate, options.ClipNorm);
            runner.Run(batch, state.Step, allocator is null ? [] : allocator.ScoredAt(state.Step), wantsToStop);
            if (slow?.After(runner.Words!) is { } found) TrainingLog.SlowProcess(logger, communicator!.NameOf(found.Rank), found.Ratio);
        }
        catch (AnomalyException e)
        {
            string message = $"{e.Message}, at step {state.Step + 1} of {TotalSteps}; the last checkpoint is intact";
            runner.GiveUp(message);
            optimizer.ClearGradients();
            throw new TrainingException(message, e);
        }
        catch (Exception e)
        {
            runner.GiveUp(e.Message);
            throw;
        }

        foreach (Adapter adapter in adapters) method.AfterStep(adapter, rankSchedule.At(state.Step));
        allocator?.Prune(state.Step);
        state.Step++;
        foreach (int index in batch) tokens += train.Length(index);
        started.Add(new StepResult(state.Step, 0, 0, rate, 0, allocator?.Budget, tokens));
        if (runner.Readings.IsFull || state.Step == TotalSteps || IsEvaluationDue() || IsCheckpointDue() || state.Series.HasRanksAt(state.Step)) Settle();
    }

    /// <summary>Waits for the steps that were started, and takes what they read.</summary>
    /// <exception cref="TrainingException">One had no finite loss or gradient norm; the optimiser did nothing in it.</exception>
    private void Settle()
    {
        if (started.Count == 0) return;
        int count = runner.Readings.Read();
        for (int i = 0; i < count; i++)
        {
            (double loss, double regulariser, double norm) = runner.Readings.At(i);
            StepResult result = started[i] with { Loss = loss, Regulariser = regulariser, GradientNorm = norm };
            if (!double.IsFinite(loss) || !double.IsFinite(norm))
            {
                started.Clear();
                state.Step = result.Step - 1;
                string what = double.IsFinite(loss) ? $"the gradient's norm is {norm}" : $"the loss is {loss}";
                throw new TrainingException($"{what} at step {result.Step} of {TotalSteps}{(options.DetectAnomaly ? "" : "; --detect-anomaly names the op")}; the last checkpoint is intact") { IsOfAll = true };
            }

            state.Took(loss);
            state.Series.Took(loss, regulariser, norm, result.LearningRate, result.Budget);
            settled.Add(result);
        }

        started.Clear();
    }

    private bool IsCheckpointDue() => options.CheckpointEvery > 0 && state.Step % options.CheckpointEvery == 0;

    private bool IsEvaluationDue()
    {
        if (development is null) return false;
        if (state.Step == TotalSteps) return true;
        return options.EvaluateEvery > 0 ? state.Step % options.EvaluateEvery == 0 : state.Step % stepsPerEpoch == 0;
    }

    /// <summary>Not to be cancelled: it would leave a step without its evaluation.</summary>
    private Evaluation Evaluate()
    {
        try
        {
            return Evaluated();
        }
        catch (InputException e)
        {
            throw new TrainingException($"{e.Message}, after step {state.Step} of {TotalSteps}; the last checkpoint is intact", e) { IsOfAll = true };
        }
    }

    private Evaluation Evaluated()
    {
        float[][] logits = Evaluator.Logits(model, development!, options.EvaluationBatchSize, communicator: communicator);
        Evaluation evaluation = Evaluator.Score(model.Config, logits, development!, metrics);
        foreach ((string prefix, TokenizedDataset data) in further)
            evaluation = evaluation.With(prefix, Evaluator.Evaluate(model, data, metrics, options.EvaluationBatchSize, communicator: communicator));
        var point = new EvaluationPoint(state.Step, state.Step / (double)stepsPerEpoch, evaluation.Values, state.MeanLoss);
        state.Evaluated(point, metrics[0], model, Evaluator.Predictions(model.Config, logits), allocator?.Schedule.IsAtTarget(state.Step - 1) ?? true);
        TrainingLog.Evaluated(logger, state.Step, TotalSteps, evaluation.Primary.Name, evaluation.Primary.Value);
        if (options.Patience > 0 && state.EvaluationsSinceBest >= options.Patience) state.StoppedEarly = true;
        return evaluation;
    }

    private int[] BatchOf(int step)
    {
        int epoch = step / stepsPerEpoch;
        if (epoch != plannedEpoch)
        {
            batches = BatchPlan.ForEpoch(train, options.BatchSize, options.Seed, epoch);
            plannedEpoch = epoch;
        }

        return batches[step % stepsPerEpoch];
    }

    /// <summary>Biases and layer norms are not decayed; of an adapter's parameters the method decides.</summary>
    private IEnumerable<ParameterGroup> Groups()
    {
        Parameter[] trained = [.. model.Parameters.Where(parameter => parameter.IsTrainable)];
        if (trained.Length == 0) throw new InputException("nothing is trainable: attach an adapter, or train all");
        Dictionary<Parameter, Adapter> adapted = adapters.SelectMany(adapter => adapter.Parameters.Select(parameter => (parameter, adapter))).ToDictionary();
        HashSet<Parameter> head = [.. model.Head.Parameters];
        bool Decays(Parameter parameter) => adapted.ContainsKey(parameter) ? method.Decays(parameter) : parameter.Value.Shape.Rank > 1;
        double Rate(Parameter parameter) => adapted.TryGetValue(parameter, out Adapter? adapter) ? method.RateFactor(adapter, parameter) : head.Contains(parameter) ? options.HeadRate : 1;
        HashSet<Tensor> ranks = [.. adapters.Select(adapter => adapter.RankValues).OfType<Tensor>()];
        LearningRateSchedule? Own(Parameter parameter) => rankSchedule != schedule && ranks.Contains(parameter.Value) ? rankSchedule : null;
        ILookup<(double Decay, double Rate, LearningRateSchedule? Schedule), Parameter> kinds =
            trained.ToLookup(parameter => (Decays(parameter) ? options.WeightDecay : 0, Rate(parameter), Own(parameter)));
        return kinds.Select(kind => new ParameterGroup([.. kind], kind.Key.Decay, kind.Key.Rate, kind.Key.Schedule));
    }

    private RankAllocator? Allocator()
    {
        if (options.Budget is not { } budget) return null;
        SingularValueAdapter[] pruned = [.. adapters.OfType<SingularValueAdapter>()];
        if (pruned.Length == 0) throw new InputException("a rank budget needs adapters with singular values");
        int rank = method.InitialRank;
        if (budget.TargetRank < 0 || budget.TargetRank > rank) throw new InputException($"target rank {budget.TargetRank} is not within 0 … {rank}");
        try
        {
            var plan = new BudgetSchedule(rank * pruned.Length, budget.TargetRank * pruned.Length, budget.WarmupSteps, budget.FinalSteps, TotalSteps, budget.Interval);
            return new RankAllocator(pruned, plan);
        }
        catch (ArgumentException e)
        {
            throw new InputException(e.Message, e);
        }
    }

    private void Require()
    {
        if (model.Precision == Precision.Int8) throw new InputException("the model's precision is int8, which is for answering, not for training; load it in another");
        if (!train.HasTargets) throw new InputException($"{train.Name}: training data needs a label for every example");
        model.Config.Kind.RequireTrainable(train, model.Config);
        foreach (TokenizedDataset data in further.Values.Prepend<TokenizedDataset?>(development).OfType<TokenizedDataset>())
        {
            if (!data.HasTargets) throw new InputException($"{data.Name}: development data needs a label for every example");
        }

        MetricInput expected = model.Config.Kind.Input;
        if (development is not null && metrics.Count == 0) throw new InputException("there are development data and no metric to choose the best weights by");
        if (development is not null && metrics.FirstOrDefault(metric => metric.Input != expected) is { } odd)
            throw new InputException($"metric {odd} compares {Metric.Words(odd.Input)}; the model predicts {Metric.Words(expected)}");
        if (options.BatchSize < 1 || options.Accumulation < 1 || options.Epochs < 1 || options.EvaluationBatchSize < 1)
            throw new InputException($"batch size {options.BatchSize}, accumulation {options.Accumulation}, epochs {options.Epochs} and evaluation batch size {options.EvaluationBatchSize} must all be at least 1");
        int examples = Math.Min(options.BatchSize, train.Count), parts = StepRunner.PartsOf(examples, options.Accumulation);
        if (communicator is not null && parts < communicator.Size)
            throw new InputException($"a batch of {examples} has {parts} {(parts == 1 ? "part" : "parts")} (--accumulation) for {communicator.Size} processes; at least one for each was expected");
        if (communicator is not null && model.Device != Device.Cpu) throw new InputException($"several processes train on the CPU; the model is on {model.Device.Name}");
        if (!(options.LearningRate >= 0) || !double.IsFinite(options.LearningRate)) throw new InputException($"learning rate {options.LearningRate} is not a number of at least 0");
    }

    private void Report(IProgress<TrainingProgress> progress, Evaluation? evaluation, int first, TimeSpan elapsed, TimeSpan training)
    {
        TimeSpan remaining = elapsed / Math.Max(state.Step - first, 1) * (TotalSteps - state.Step);
        foreach (StepResult step in settled)
        {
            progress.Report(new TrainingProgress(
                step.Step, TotalSteps, step.Step / (double)stepsPerEpoch, step.Loss, step.Regulariser, step.LearningRate, step.GradientNorm, step.Tokens / Math.Max(training.TotalSeconds, 1e-9), remaining, step.Budget,
                step.Step == state.Step ? evaluation : null));
        }
    }

    private readonly record struct StepResult(int Step, double Loss, double Regulariser, double LearningRate, double GradientNorm, int? Budget, long Tokens);
}
