using System.Runtime.InteropServices;
using LoRA2.Native.Adapters;
using LoRA2.Native.Communication;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;
using Microsoft.Extensions.Logging;

namespace LoRA2.Native.Distributed.Tests.InProcess;

/// <summary>A run of a small model with everything in it: dropout, clipping, a short last batch, evaluations, and a budget where the method has singular values.</summary>
internal sealed class SmallRun : IDisposable
{
    private static readonly Tokenizer Tokenizer = Tokenizer.FromFolder(SharedData.Tokenizer);
    private static readonly string[] Words = ["parcel", "thank", "refund", "never", "the", "arrived", "of", "service", "November", "cheers"];

    public SmallRun(string method, Communicator? communicator, TrainingOptions? options = null, bool otherData = false, bool masked = false, double dropout = 0.1, ILogger? logger = null)
    {
        AdapterMethod made = Method(method);
        TrainingOptions asked = (options ?? Options) with
        {
            Adapter = new AdapterSettings { Method = made },
            Budget = made.HasSingularValues ? new BudgetOptions(2, 2, 2, Interval: 1) : null,
        };
        EncoderConfig config = new DebertaV2Config
        {
            VocabularySize = 8064,
            Layers = 2,
            HiddenSize = 16,
            Heads = 2,
            IntermediateSize = 24,
            HiddenDropout = dropout,
            AttentionDropout = dropout,
            InitializerRange = 0.1,
            Task = masked ? TaskKinds.Masked : TaskKinds.Classification,
        };
        Model = SequenceClassifier.Create(config, 3);
        Model.Attach(asked.Adapter, asked.Seed);
        var random = new Random(7);
        Example[] examples = [.. Enumerable.Range(0, 21).Select(i => new Example(string.Join(' ', Enumerable.Range(0, random.Next(1, 12)).Select(_ => Words[random.Next(Words.Length)])), null, masked ? null : i % 2))];
        if (otherData) examples[5] = examples[5] with { Text = "another text" };
        TokenizedDataset data = TokenizedDataset.Create("parcels", examples, Tokenizer, Model.Config, 24);
        Trainer = new Trainer(Model, asked, data, data, Model.Config.Kind.MetricsFor(2), logger, communicator: communicator);
    }

    public static TrainingOptions Options { get; } = new() { BatchSize = 8, Accumulation = 8, Epochs = 2, EvaluateEvery = 2, CheckpointEvery = 1, EvaluationBatchSize = 4, LearningRate = 0.01, ClipNorm = 0.5 };

    public SequenceClassifier Model { get; }

    public Trainer Trainer { get; }

    /// <summary>Everything that came of it, as bits: the weights, the series and the evaluations.</summary>
    public byte[] Bits() =>
    [
        .. Model.Parameters.Where(parameter => parameter.IsTrainable).SelectMany(parameter => MemoryMarshal.AsBytes(parameter.Value.AsSpan<float>()).ToArray()),
        .. Trainer.Series.SelectMany(point => BitConverter.GetBytes(point.Loss).Concat(BitConverter.GetBytes(point.GradientNorm)).Concat(BitConverter.GetBytes(point.Regulariser)).Append((byte)(point.Budget ?? 0))),
        .. Trainer.Evaluations.SelectMany(point => point.Metrics).SelectMany(metric => BitConverter.GetBytes(metric.Value)),
    ];

    public void Dispose()
    {
        Trainer.Dispose();
        Model.Dispose();
    }

    private static AdapterMethod Method(string name)
    {
        AdapterMethod method = AdapterMethods.Named(name);
        foreach (MethodOption option in method.Options)
        {
            if (option.Name is "rank" or "outer-rank") method = option.With(method, option.Name == "rank" ? "4" : "3");
        }

        return method;
    }
}
