using System.Diagnostics;
using LoRA2.Native.Adapters;
using LoRA2.Native.Communication;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Training.Distribution;

namespace LoRA2.Native.Training;

/// <summary>
/// What a training step computes where the model is, from ids to updated parameters: forward and backward of the task loss + the method's regulariser, clip, AdamW,
/// importance scores. A device that can records it once for each shape of batch, and from then on starts it as one. Gradients of a batch's parts are computed apart and
/// summed in a tree over the parts, so that it makes no difference which process computed which.
/// </summary>
internal sealed class StepRunner : IDisposable
{
    /// <summary>Recordings at once; a run has one a length of its batches, times two where ranks are scored in some steps alone.</summary>
    private const int MostRecordings = 256;

    private readonly SequenceClassifier model;
    private readonly TrainingOptions options;
    private readonly TokenizedDataset train;
    private readonly AdamWOptimizer optimizer;
    private readonly Adapter[] adapters;
    private readonly AdapterMethod method;
    private readonly TaskKind kind;
    private readonly ForwardContext context;
    private readonly Dictionary<string, RecordedStep> recordings = [];
    private readonly GradientTree tree;
    private readonly GradientExchange? exchange;
    private readonly Stopwatch clock = new();

    public StepRunner(SequenceClassifier model, TrainingOptions options, TokenizedDataset train, AdamWOptimizer optimizer, Adapter[] adapters, Communicator? communicator)
    {
        this.model = model;
        this.options = options;
        this.train = train;
        this.optimizer = optimizer;
        this.adapters = adapters;
        method = options.Adapter.Method;
        kind = model.Config.Kind;
        context = new ForwardContext { IsTraining = true, Seed = options.Seed, Recompute = options.Recompute };
        Readings = new StepReadings(model.Device);
        // A backward pass goes from the head to the embeddings; adapters come after all base parameters, in the layers' order.
        HashSet<Parameter> head = [.. model.Head.Parameters];
        Tensor[] leaves = [.. model.Parameters.Where(parameter => parameter.IsTrainable).Reverse().OrderBy(parameter => head.Contains(parameter) ? 0 : 1).Select(parameter => parameter.Value)];
        tree = new GradientTree(leaves);
        if (communicator is { Size: > 1 }) exchange = new GradientExchange(communicator, leaves, tree);
    }

    /// <summary>Loss, regulariser and norm of the steps, each kept after its <see cref="Run"/>.</summary>
    public StepReadings Readings { get; }

    /// <summary>What the processes told each other in the last step; null for a single one.</summary>
    public StepWords? Words => exchange?.Words;

    /// <summary>Starts the step; the optimiser was prepared for it.</summary>
    /// <param name="batch">The examples.</param>
    /// <param name="step">The step's number in the run, from 0.</param>
    /// <param name="scorers">What is updated with the weights.</param>
    /// <param name="wantsToStop">What the other processes are told.</param>
    /// <remarks>After an exception <see cref="GiveUp"/> is to be called.</remarks>
    /// <exception cref="AnomalyException">Anomalies are looked for, and an op's result or gradient is not finite.</exception>
    /// <exception cref="CommunicationException">Another process is no more.</exception>
    public void Run(int[] batch, int step, ReadOnlySpan<ImportanceScorer> scorers, bool wantsToStop = false)
    {
        uint pass = (uint)(step * options.Accumulation);
        if (exchange is not null)
        {
            Share(exchange, batch, pass, wantsToStop);
            Finish(scorers);
        }
        else if (model.Device.Records && model.KeepsNothing && !options.DetectAnomaly)
        {
            RunRecorded(batch, pass, scorers);
        }
        else
        {
            Begin();
            double terms = TermsOf(batch, pass);
            int parts = PartsOf(batch);
            for (int part = 0; part < parts; part++) Add(PartAt(batch, part, pass, terms), part, parts, pass);
            EndParts(parts);
            Finish(scorers);
        }

        Readings.Keep(optimizer.SquaredNorm);
    }

    /// <summary>The step failed: the other processes are told, and what it has left is freed. To be called before the step's scope ends.</summary>
    public void GiveUp(string reason)
    {
        exchange?.GiveUp(reason);
        tree.Clear();
    }

    public void Dispose()
    {
        Forget();
        exchange?.Dispose();
        Readings.Dispose();
    }

    /// <summary>Computes this process's parts of the batch; the gradients and the loss are then the whole batch's.</summary>
    private void Share(GradientExchange exchange, int[] batch, uint pass, bool wantsToStop)
    {
        clock.Restart();
        Begin();
        double terms = TermsOf(batch, pass);
        int tokens = 0;
        (int first, int end) = exchange.Begin(PartsOf(batch));
        for (int part = first; part < end; part++)
        {
            StepPart given = PartAt(batch, part, pass, terms);
            tokens += given.Batch.Ids.Count;
            Tensor loss = Tensor.Zeros([], DType.Float32, model.Device);
            tree.BeginPart(part, loss);
            if (part == end - 1) Watch(exchange, given, pass + (uint)part, loss);
            else Differentiate(given, pass + (uint)part, loss);
            if (part == end - 1) continue;
            for (int slot = 0; slot < tree.Slots; slot++) tree.Take(slot);
            tree.EndPart();
        }

        exchange.Finish(Readings.Loss, new StepWord(wantsToStop, (float)clock.Elapsed.TotalSeconds, tokens));
    }

    /// <summary>Differentiates this process's last part, of which each gradient goes to the others as soon as it is complete.</summary>
    private void Watch(GradientExchange exchange, in StepPart part, uint pass, Tensor loss)
    {
        bool failed = true;
        try
        {
            Differentiate(part, pass, loss, exchange);
            failed = false;
        }
        finally
        {
            exchange.EndLast(failed);
        }
    }

    /// <summary>Computes a part of a batch that is all this process's.</summary>
    private void Add(in StepPart part, int number, int parts, uint pass)
    {
        if (parts == 1)
        {
            Differentiate(part, pass, Readings.Loss);
            return;
        }

        Tensor loss = Tensor.Zeros([], DType.Float32, model.Device);
        tree.BeginPart(number, loss);
        Differentiate(part, pass + (uint)number, loss);
        for (int slot = 0; slot < tree.Slots; slot++) tree.Take(slot);
        tree.EndPart();
    }

    private void EndParts(int parts)
    {
        if (parts > 1) tree.Fold(Readings.Loss);
    }

    private void RunRecorded(int[] batch, uint pass, ReadOnlySpan<ImportanceScorer> scorers)
    {
        using var scope = new TensorScope();
        var parts = new List<StepPart>();
        double terms = TermsOf(batch, pass);
        for (int number = 0; number < PartsOf(batch); number++)
        {
            StepPart part = PartAt(batch, number, pass, terms);
            parts.Add(part with { Batch = model.Prepare(part.Batch) });
        }

        string shape = string.Join(' ', parts.Select(part => $"{part.Batch.Ids.Shape}{part.Targets.Shape}")) + (scorers.Length > 0 ? " scored" : "");
        if (recordings.TryGetValue(shape, out RecordedStep? recorded))
        {
            for (int i = 0; i < parts.Count; i++) recorded.Parts[i].CopyFrom(parts[i]);
        }
        else
        {
            if (recordings.Count == MostRecordings) Forget();
            StepPart[] kept = [.. parts.Select(part => part.Kept(scope, model.Device))];
            recordings[shape] = recorded = new RecordedStep(kept, Record(kept, pass, scorers.ToArray()));
        }

        recorded.Program.Run(pass);
    }

    private DeviceProgram Record(StepPart[] parts, uint pass, ImportanceScorer[] scorers)
    {
        try
        {
            return model.Device.Record(pass, () =>
            {
                using TensorScope scope = model.OpenScope();
                Begin();
                for (int i = 0; i < parts.Length; i++) Add(parts[i], i, parts.Length, pass);
                EndParts(parts.Length);
                Finish(scorers);
            });
        }
        catch
        {
            foreach (StepPart part in parts) part.Free();
            throw;
        }
    }

    private void Begin()
    {
        Kernels kernels = model.Device.Kernels;
        kernels.Fill(Readings.Loss, 0);
        kernels.Fill(Readings.Regulariser, 0);
    }

    /// <summary>Adds a part's loss to <paramref name="total"/> and its gradients to the parameters'.</summary>
    private void Differentiate(in StepPart part, uint pass, Tensor total, GradientExchange? watching = null)
    {
        using var scope = new TensorScope();
        using var tape = new Tape { DetectAnomaly = options.DetectAnomaly };
        context.Begin(pass);
        Tensor loss = model.Loss(model.Forward(part.Batch, context), part.Targets);
        loss.Device.Kernels.AddScaled(loss, part.Weight, total);
        watching?.BeginLast();
        tape.Backward(loss, Tensor.Full([], part.Weight, loss.DType, loss.Device));
    }

    private void Finish(ReadOnlySpan<ImportanceScorer> scorers)
    {
        DifferentiateRegulariser();
        optimizer.Update(scorers);
        optimizer.ClearGradients();
    }

    /// <summary>The gradient of the method's regulariser, times its weight, is added to the parameters'.</summary>
    private void DifferentiateRegulariser()
    {
        if (method.RegulariserWeight == 0) return;
        using var scope = new TensorScope();
        using var tape = new Tape();
        if (method.Regulariser(adapters) is not { } term) return;
        term.Device.Kernels.Copy(term, Readings.Regulariser);
        tape.Backward(term, Tensor.Full([], method.RegulariserWeight, term.DType, term.Device));
    }

    /// <summary>Parts of a batch of so many examples: as many as were asked for, or fewer where all but the last are to be of the same size.</summary>
    internal static int PartsOf(int examples, int accumulation)
    {
        int size = PartSize(examples, accumulation);
        return ((examples - 1) / size) + 1;
    }

    private static int PartSize(int examples, int accumulation) => ((examples - 1) / accumulation) + 1;

    private int PartSize(int[] batch) => PartSize(batch.Length, options.Accumulation);

    private int PartsOf(int[] batch) => PartsOf(batch.Length, options.Accumulation);

    /// <summary>How many terms the whole batch's loss has; asked for where it has parts to be weighed.</summary>
    private double TermsOf(int[] batch, uint pass)
    {
        if (options.Accumulation == 1) return 0;
        double terms = 0;
        for (int part = 0; part < PartsOf(batch); part++) terms += kind.Terms(train, RowsAt(batch, part), new BatchDraw(options.Seed, pass + (uint)part));
        return terms;
    }

    private ReadOnlySpan<int> RowsAt(int[] batch, int part) => batch.AsSpan(part * PartSize(batch), Math.Min(PartSize(batch), batch.Length - (part * PartSize(batch))));

    /// <summary>A part of a batch; what it draws depends on its number in the run, not on who computes it.</summary>
    private StepPart PartAt(int[] batch, int part, uint pass, double terms)
    {
        ReadOnlySpan<int> rows = RowsAt(batch, part);
        var draw = new BatchDraw(options.Seed, pass + (uint)part);
        EncoderBatch inputs = kind.Inputs(train, rows, draw);
        double weight = options.Accumulation == 1 || terms == 0 ? 1 : kind.Terms(train, rows, draw) / terms;
        return new StepPart(inputs, kind.Targets(train, rows, inputs, draw), weight);
    }

    private void Forget()
    {
        foreach (RecordedStep recorded in recordings.Values)
        {
            recorded.Program.Dispose();
            foreach (StepPart part in recorded.Parts) part.Free();
        }

        recordings.Clear();
    }

    /// <summary>A part of a batch, and its share of the batch's loss.</summary>
    private readonly record struct StepPart(EncoderBatch Batch, Tensor Targets, double Weight)
    {
        /// <summary>The same where the model is, until it is freed.</summary>
        public StepPart Kept(TensorScope scope, Device device) => this with { Batch = Batch.To(device).Detach(scope), Targets = scope.Detach(Targets.To(device)) };

        public void CopyFrom(in StepPart other)
        {
            Batch.CopyFrom(other.Batch);
            Targets.CopyFrom(other.Targets);
        }

        public void Free()
        {
            Batch.Free();
            Targets.Dispose();
        }
    }

    private sealed record RecordedStep(StepPart[] Parts, DeviceProgram Program);
}
