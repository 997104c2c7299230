using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Cuda.Tests.Emulation;
using LoRA2.Native.Data;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cuda.Tests.Training;

/// <summary>Sentence vectors trained by recorded steps have the CPU's losses and weights.</summary>
public sealed class EmbeddingsStepTests
{
    private static readonly string Folder = Path.Combine(SharedData.Repository, "tests", "Fixtures", "cases", "05-adapters-in-a-loop", "base");

    private static readonly Example[] Pairs =
    [
        new("a good film", "good film", 1), new("bad film", "good one", 0), new("one film", "a film", 1), new("bad", "good good", 0), new("a bad film", "bad one", 1), new("good", "one bad film", 0),
        new("film film", "a film one", 1), new("one good", "bad bad", 0),
    ];

    [Theory]
    [InlineData("ranking", Pooling.Mean)]
    [InlineData("symmetric-ranking", Pooling.Max)]
    [InlineData("triplet", Pooling.Cls)]
    [InlineData("cosent", Pooling.MeanSqrtLength)]
    [InlineData("cosine", Pooling.WeightedMean)]
    [InlineData("contrastive", Pooling.Last)]
    public void LossesAreTheCpus(string loss, Pooling pooling)
    {
        using var device = new CudaDevice(new EmulatedDriver(), 0);
        (double[] cpu, float[] onCpu) = Train(loss, pooling, Device.Cpu);
        (double[] there, float[] onDevice) = Train(loss, pooling, device);
        Assert.Equal(6, cpu.Length);
        foreach ((double one, double other) in cpu.Zip(there)) Assert.Equal(one, other, 1e-4);
        foreach ((float one, float other) in onCpu.Zip(onDevice)) Assert.Equal(one, other, 2e-3f);
    }

    private static (double[] Losses, float[] Weights) Train(string loss, Pooling pooling, Device device)
    {
        var kind = new EmbeddingsTask { LossName = loss, Settings = new EmbeddingSettings { Pooling = pooling, Normalises = true } };
        bool scored = kind.LossFor(true).NeedsScores;
        Example[] examples = [.. Pairs.Select(pair => scored ? pair : pair with { Target = null, Negatives = loss == "triplet" ? ["bad one"] : [] })];
        using SequenceClassifier model = SequenceClassifier.FromFolder(Folder, config => config with { Task = kind, Labels = 1, LabelNames = null, HiddenDropout = 0, AttentionDropout = 0 });
        var options = new TrainingOptions { Adapter = new AdapterSettings { Method = new LoRAMethod { Rank = 2 } }, BatchSize = 4, Epochs = 3, LearningRate = 1e-2 };
        model.Attach(options.Adapter, 5);
        model.MoveTo(device);
        TokenizedDataset data = TokenizedDataset.Create("pairs", examples, Tokenizer.FromFolder(Folder), model.Config, 16);
        using var trainer = new Trainer(model, options, data, null, []);
        trainer.Run();
        return ([.. trainer.Series.Select(point => point.Loss)], [.. model.Adapters().SelectMany(adapter => adapter.Parameters).SelectMany(parameter => parameter.Value.To(Device.Cpu).ToArray<float>())]);
    }
}
