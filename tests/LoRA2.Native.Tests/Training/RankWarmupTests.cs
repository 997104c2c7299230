using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tests.Adapters;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Training;

public sealed class RankWarmupTests
{
    /// <summary>A warm-up begins with a step at rate 0: whose it is stays where it was.</summary>
    [Theory]
    [InlineData(0.0, 4, true, false)]
    [InlineData(0.5, 0, false, true)]
    [InlineData(0.5, 4, false, false)]
    public void GatesHaveAWarmUpOfTheirOwn(double gateWarmup, int warmupSteps, bool gatesMove, bool othersMove)
    {
        var config = new DebertaV2Config { VocabularySize = 8064, Layers = 1, HiddenSize = 16, Heads = 2, IntermediateSize = 24 };
        using SequenceClassifier model = SequenceClassifier.Create(config, 3);
        var options = new TrainingOptions
        {
            Adapter = new AdapterSettings { Method = new SoRAMethod { Rank = 2, Threshold = 0, GateWarmup = gateWarmup } },
            BatchSize = 2,
            MaxSteps = 4,
            WarmupSteps = warmupSteps,
        };
        model.Attach(options.Adapter, 4);
        Parameter[] trained = [.. model.Parameters.Where(parameter => parameter.IsTrainable)];
        float[][] before = [.. trained.Select(parameter => parameter.Value.ToArray<float>())];
        Example[] examples = [new("My parcel never arrived.", null, 0), new("Thank you!", null, 1)];
        using var trainer = new Trainer(model, options, TokenizedDataset.Create("parcels", examples, Tokenizer.FromFolder(SharedData.Tokenizer), config, 32), null, [Metric.Accuracy]);
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => trainer.Run(progress: new StopAfterOne(stop), cancellation: stop.Token));
        for (int i = 0; i < trained.Length; i++)
        {
            // B is 0 at the start, so that A and the gates have a gradient from the penalty alone: the gates have.
            bool gate = trained[i].Name.EndsWith(".lora_gate", StringComparison.Ordinal);
            if (gate) Assert.Equal(gatesMove, !before[i].SequenceEqual(trained[i].Value.ToArray<float>()));
            else if (!othersMove || trained[i].Name.EndsWith(".lora_B", StringComparison.Ordinal)) Assert.Equal(othersMove, !before[i].SequenceEqual(trained[i].Value.ToArray<float>()));
        }
    }

    private sealed class StopAfterOne(CancellationTokenSource stop) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => stop.Cancel();
    }
}
