using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Training;

/// <summary>
/// What a training step computes where the model is, from ids to updated parameters: forward and backward of the task loss + the method's regulariser, clip, AdamW,
/// importance scores. A device that can records it once for each shape of batch, and from then on starts it as one.
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

    public StepRunner(SequenceClassifier model, TrainingOptions options, TokenizedDataset train, AdamWOptimizer optimizer, Adapter[] adapters)
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
    }

    /// <summary>Loss, regulariser and norm of the steps, each kept after its <see cref="Run"/>.</summary>
    public StepReadings Readings { get; }

    /// <summary>Starts the step; the optimiser was prepared for it.</summary>
    /// <exception cref="AnomalyException">Anomalies are looked for, and an op's result or gradient is not finite.</exception>
    public void Run(int[] batch, int step, ReadOnlySpan<ImportanceScorer> scorers)
    {
        uint pass = (uint)(step * options.Accumulation);
        if (model.Device.Records && model.KeepsNothing && !options.DetectAnomaly)
        {
            RunRecorded(batch, pass, scorers);
        }
        else
        {
            Begin();
            double terms = TermsOf(batch, pass);
            for (int start = 0; start < batch.Length; start += PartSize(batch)) Differentiate(PartAt(batch, start, pass, terms), pass++);
            Finish(scorers);
        }

        Readings.Keep(optimizer.SquaredNorm);
    }

    public void Dispose()
    {
        Forget();
        Readings.Dispose();
    }

    private void RunRecorded(int[] batch, uint pass, ReadOnlySpan<ImportanceScorer> scorers)
    {
        using var scope = new TensorScope();
        var parts = new List<StepPart>();
        double terms = TermsOf(batch, pass);
        for (int start = 0; start < batch.Length; start += PartSize(batch))
        {
            StepPart part = PartAt(batch, start, pass + (uint)parts.Count, terms);
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
                for (int i = 0; i < parts.Length; i++) Differentiate(parts[i], pass + (uint)i);
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

    private void Differentiate(in StepPart part, uint pass)
    {
        using var scope = new TensorScope();
        using var tape = new Tape { DetectAnomaly = options.DetectAnomaly };
        context.Begin(pass);
        Tensor loss = model.Loss(model.Forward(part.Batch, context), part.Targets);
        loss.Device.Kernels.AddScaled(loss, part.Weight, Readings.Loss);
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

    private int PartSize(int[] batch) => (batch.Length + options.Accumulation - 1) / options.Accumulation;

    /// <summary>How many terms the whole batch's loss has; asked for where it has parts to be weighed.</summary>
    private double TermsOf(int[] batch, uint pass)
    {
        if (options.Accumulation == 1) return 0;
        double terms = 0;
        for (int start = 0; start < batch.Length; start += PartSize(batch)) terms += kind.Terms(train, RowsAt(batch, start), new BatchDraw(options.Seed, pass++));
        return terms;
    }

    private ReadOnlySpan<int> RowsAt(int[] batch, int start) => batch.AsSpan(start, Math.Min(PartSize(batch), batch.Length - start));

    private StepPart PartAt(int[] batch, int start, uint pass, double terms)
    {
        ReadOnlySpan<int> rows = RowsAt(batch, start);
        var draw = new BatchDraw(options.Seed, pass);
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
