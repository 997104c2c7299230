using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Cuda.Tests.Emulation;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cuda.Tests.Training;

/// <summary>A run whose steps are CUDA graphs: the bits of one whose kernels are started one by one, the CPU's numbers, and few readings.</summary>
public sealed class RecordedStepTests
{
    private const int Steps = 7;

    [Theory]
    [InlineData("deberta-v2", "lora2")]
    [InlineData("deberta-v2", "adalora")]
    [InlineData("deberta-v2", "full")]
    [InlineData("roberta", "sora")]
    [InlineData("roberta", "dora")]
    [InlineData("deberta-v2", "lora2", Precision.BFloat16, 5e-3)]
    [InlineData("roberta", "lora", Precision.BFloat16, 5e-3)]
    public void ARecordedRunHasTheBitsOfOneThatIsNot(string family, string method, Precision precision = Precision.Float32, double tolerance = 1e-4)
    {
        Run recorded = Train(family, method, true, precision), started = Train(family, method, false, precision), cpu = Train(family, method, null, precision);
        Assert.Equal(started.Losses, recorded.Losses);
        Assert.Equal(started.Parameters, recorded.Parameters);
        Assert.Equal(Steps, recorded.Losses.Count);
        for (int i = 0; i < Steps; i++) Assert.Equal(cpu.Losses[i], recorded.Losses[i], tolerance);
        // Two shapes of batches, and LoRA2's and AdaLoRA's steps before and after the warm-up.
        Assert.InRange(recorded.Graphs, 2, 4);
        Assert.Equal(0, started.Graphs);
    }

    [Fact]
    public void LossesAreReadOnceInManySteps()
    {
        Run recorded = Train("deberta-v2", "lora", true);
        // Losses, regularisers and norms of all seven steps.
        Assert.Equal(3, recorded.Readings);
    }

    /// <summary>One copy back for each point of the ranks' series, of which there is one a step here, and for each mask; three for the losses with every point.</summary>
    [Theory]
    [InlineData("lora2")]
    [InlineData("adalora")]
    [InlineData("sora")]
    public void RanksAreReadInOneCopy(string method)
    {
        Run recorded = Train("deberta-v2", method, true);
        // The budget's masks are chosen after the warm-up at every second step, and at the beginning of the final phase.
        int masks = method == "sora" ? 0 : 2;
        Assert.Equal((Steps * (3 + 1)) + masks, recorded.Readings);
    }

    [Fact]
    public void AStepWithoutAFiniteLossEndsTheRunAndIsNamed()
    {
        using var device = new CudaDevice(new EmulatedDriver(), 0);
        using SequenceClassifier model = Model("deberta-v2", "lora", device);
        Parameter classifier = model.Head.Classifier!.Weight;
        classifier.Value.Write<float>([.. Enumerable.Repeat(float.NaN, classifier.Value.Count)]);
        using var trainer = new Trainer(model, Options("lora"), Data(model.Config), null, [Metric.Accuracy]);
        var e = Assert.Throws<TrainingException>(() => trainer.Run());
        Assert.Contains($"the loss is NaN at step 1 of {Steps}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NothingIsReadWhileADeviceRecords()
    {
        using var device = new CudaDevice(new EmulatedDriver(), 0);
        using Tensor x = Tensor.Scalar(2).To(device);
        Assert.Throws<InvalidOperationException>(() => device.Record(0, () => x.Item()));
        // And it goes on as before.
        using Tensor y = Ops.Scale(x, 2);
        Assert.Equal(4, y.Item());
    }

    /// <summary>Constants made in a recording are there again in every run, whatever a run did to the memory.</summary>
    [Fact]
    public void AProgramStartsFromTheSameConstants()
    {
        using var device = new CudaDevice(new EmulatedDriver(), 0);
        using Tensor sum = Tensor.Zeros([3], DType.Float32, device);
        using (DeviceProgram program = device.Record(0, () =>
        {
            using var scope = new TensorScope();
            Tensor constant = Tensor.From<float>([1, 2, 3], [3]).To(device);
            device.Kernels.AddScaled(constant, 1, sum);
            device.Kernels.Fill(constant, 100);
        }))
        {
            Assert.Equal([0f, 0, 0], sum.ToArray<float>());
            program.Run(0);
            program.Run(1);
        }

        Assert.Equal([2f, 4, 6], sum.ToArray<float>());
    }

    private static Run Train(string family, string method, bool? recorded, Precision precision = Precision.Float32)
    {
        var driver = new EmulatedDriver();
        using var device = new CudaDevice(driver, 0) { MayRecord = recorded == true };
        using SequenceClassifier model = Model(family, method, recorded is null ? Device.Cpu : device, precision);
        using var trainer = new Trainer(model, Options(method), Data(model.Config), null, [Metric.Accuracy]);
        int before = driver.Readings;
        var losses = new List<double>();
        trainer.Run(progress: new Losses(losses));
        int readings = driver.Readings - before;
        return new Run(losses, [.. model.Parameters.Where(parameter => parameter.IsTrainable).SelectMany(parameter => parameter.Value.ToArray<float>())], driver.GraphsMade, readings);
    }

    private static SequenceClassifier Model(string family, string method, Device device, Precision precision = Precision.Float32)
    {
        SequenceClassifier model = SequenceClassifier.Create(
            (family == "roberta" ? (EncoderConfig)new RobertaConfig { PadTokenId = 0 } : new DebertaV2Config { PositionBuckets = 8 }) with
            {
                VocabularySize = 8064,
                Layers = 1,
                HiddenSize = 32,
                Heads = 2,
                IntermediateSize = 64,
                MaxPositions = 64,
            },
            3,
            precision);
        model.Attach(Options(method).Adapter, 4);
        model.MoveTo(device);
        return model;
    }

    private static TrainingOptions Options(string method) => new()
    {
        Adapter = new AdapterSettings
        {
            Method = method switch
            {
                "lora2" => new LoRA2Method { Rank = 4, OuterRank = 4 },
                "adalora" => new AdaLoRAMethod { Rank = 4 },
                _ => AdapterMethods.Named(method),
            },
        },
        BatchSize = 6,
        MaxSteps = Steps,
        Accumulation = method == "lora2" ? 3 : 1,
        Budget = method is "lora2" or "adalora" ? new BudgetOptions(2, 2, 1, Interval: 2) : null,
    };

    private static TokenizedDataset Data(EncoderConfig config)
    {
        string[] texts = [.. Enumerable.Repeat("My parcel never arrived.", 6), .. Enumerable.Repeat("No.", 6)];
        Example[] examples = [.. texts.Select((text, i) => new Example(text, null, i % 2))];
        return TokenizedDataset.Create("parcels", examples, Tokenizer.FromFolder(SharedData.Tokenizer), config, 32);
    }

    private sealed record Run(List<double> Losses, float[] Parameters, int Graphs, int Readings);

    private sealed class Losses(List<double> all) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => all.Add(value.Loss);
    }
}
