using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Adapters;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Training;

/// <summary>What counts allocations runs alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AllocationCollection
{
    public const string Name = "Allocations";
}

/// <summary>Once it has warmed up, a step like the ones before makes no object on any thread and takes no memory from the system.</summary>
[Collection(AllocationCollection.Name)]
public sealed class AllocationTests
{
    private const int Steps = 90, WarmUp = 60, BatchSize = 4;

    private const string Convolved = "deberta-v2 with a convolution";

    public static TheoryData<string> Families => [.. EncoderFamilies.All.Select(family => family.ModelType), Convolved];

    /// <summary>Every method on one family, and one on every family.</summary>
    public static TheoryData<string, string> EveryMethod
    {
        get
        {
            var data = new TheoryData<string, string> { { "roberta", "lora2" }, { Convolved, "lora" } };
            foreach (EncoderConfig family in EncoderFamilies.All.Where(family => family is not DebertaV2Config)) data.Add(family.ModelType, "lora");
            foreach (AdapterMethod method in AdapterMethods.All) data.Add("deberta-v2", method.Name);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(EveryMethod))]
    public void ATrainingStepAllocatesNothing(string family, string method)
    {
        var meter = new Meter(Steps);
        Train(family, method, meter);
        meter.RequireNothing(WarmUp, Steps - 2);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void AForwardPassAllocatesNothing(string family)
    {
        using SequenceClassifier model = SequenceClassifier.Create(Config(family), 3);
        model.Attach(Options("lora2").Adapter, 4);
        var meter = new Meter(Steps);
        int[] rows = [0, 1, 2, 3];
        TokenizedDataset data = Data(model.Config);
        for (int i = 0; i < Steps; i++)
        {
            using (TensorScope scope = model.OpenScope()) model.Forward(data.Batch(rows), ForwardContext.Inference);
            meter.Read();
        }

        meter.RequireNothing(WarmUp, Steps - 1);
    }

    /// <summary>Texts of such lengths that the batch's padding does not go through the layers.</summary>
    [Theory]
    [MemberData(nameof(Families))]
    public void NeitherDoesAStepWithoutPadding(string family)
    {
        using SequenceClassifier model = SequenceClassifier.Create(Config(family), 3);
        model.Attach(Options("lora2").Adapter, 4);
        using var optimizer = new AdamWOptimizer([new([.. model.Parameters.Where(parameter => parameter.IsTrainable)], 0.01)]);
        var context = new ForwardContext { IsTraining = true, Seed = 5 };
        var meter = new Meter(Steps);
        TokenizedDataset data = Data(model.Config, i => i % 4 == 0 ? 20 : i % 4);
        int[] rows = [0, 1, 2, 3];
        using (new TensorScope()) Assert.NotNull(PackedTokens.Of(data.Batch(rows)));
        for (int i = 0; i < Steps; i++)
        {
            using (TensorScope scope = model.OpenScope())
            {
                context.Begin((uint)i);
                using var tape = new Tape();
                tape.Backward(model.Loss(model.Forward(data.Batch(rows), context), Tensor.Zeros([rows.Length], DType.Int32)));
                optimizer.Step(1e-3);
                optimizer.ClearGradients();
            }

            meter.Read();
        }

        meter.RequireNothing(WarmUp, Steps - 1);
    }

    /// <summary>With the check on, any use of a tensor after the step that made it would throw.</summary>
    [Theory]
    [MemberData(nameof(EveryMethod))]
    public void AStepUsesNothingOfTheOneBefore(string family, string method)
    {
        float[] reused = Train(family, method, null);
        TensorReuse.Checks = true;
        try
        {
            Assert.Equal(reused, Train(family, method, null));
        }
        finally
        {
            TensorReuse.Checks = false;
        }
    }

    /// <summary>An adapter from elsewhere may keep what it is given, and then must not see another tensor there.</summary>
    [Fact]
    public void AnAdapterThatKeepsTensorsIsNotGivenReusedOnes()
    {
        using SequenceClassifier model = SequenceClassifier.Create(Config("deberta-v2"), 3);
        model.FreezeBase();
        var keeping = new KeepingAdapter();
        model.AdaptableLayers[0].Adapter = keeping;
        TokenizedDataset data = Data(model.Config);
        for (int i = 0; i < 2; i++) Evaluator.Logits(model, data, 50);
        Assert.Equal(keeping.Given.Count, keeping.Given.Distinct().Count());
        Assert.All(keeping.Given, tensor => Assert.Throws<ObjectDisposedException>(() => tensor.AsSpan<float>().Length));
    }

    private static float[] Train(string family, string method, Meter? meter)
    {
        using SequenceClassifier model = SequenceClassifier.Create(Config(family), 3);
        TrainingOptions options = Options(method);
        model.Attach(options.Adapter, 4);
        using var trainer = new Trainer(model, options, Data(model.Config), null, [Metric.Accuracy]);
        trainer.Run(progress: meter);
        return [.. model.Parameters.Where(parameter => parameter.IsTrainable).SelectMany(parameter => parameter.Value.ToArray<float>())];
    }

    private static EncoderConfig Config(string family) => EncoderFamilies.Of(family) switch
    {
        DebertaV2Config deberta => Small(deberta with { PositionBuckets = 8 }),
        { } other => Small(other),
        null => Small(new DebertaV2Config { PositionBuckets = 8, ConvolutionKernel = 3 }),
    };

    private static EncoderConfig Small(EncoderConfig config) => config with
    {
        VocabularySize = 8064,
        PadTokenId = 0,
        Layers = 2,
        HiddenSize = 32,
        Heads = 4,
        IntermediateSize = 64,
        MaxPositions = 64,
    };

    private static TrainingOptions Options(string method) => new()
    {
        Adapter = new AdapterSettings { Method = method == "lora2" ? new LoRA2Method { Rank = 4, OuterRank = 4, Importance = ImportanceMode.Full } : SmallModel.Method(method) },
        BatchSize = BatchSize,
        Accumulation = 2,
        MaxSteps = Steps,
        Budget = method is "lora2" or "adalora" ? new BudgetOptions(2, 10, 10, Interval: 2) : null,
    };

    private static TokenizedDataset Data(EncoderConfig config, Func<int, int>? parcels = null)
    {
        Example[] examples = [.. Enumerable.Range(0, Steps * BatchSize).Select(i => new Example(parcels is null ? "My parcel never arrived." : string.Join(' ', Enumerable.Repeat("parcel", parcels(i))), null, i % 2))];
        return TokenizedDataset.Create("parcels", examples, Tokenizer.FromFolder(SharedData.Tokenizer), config, 32);
    }

    /// <summary>Reads the counters after every step.</summary>
    private sealed class Meter(int steps) : IProgress<TrainingProgress>
    {
        private readonly long[] onThread = new long[steps];
        private readonly long[] onAll = new long[steps];
        private readonly long[] reserved = new long[steps];
        private int count;

        public void Report(TrainingProgress value) => Read();

        public void Read()
        {
            onThread[count] = GC.GetAllocatedBytesForCurrentThread();
            onAll[count] = GC.GetTotalAllocatedBytes(precise: true);
            reserved[count++] = MemoryPool.Shared.BytesReserved;
        }

        /// <summary>The test host's own threads make an object some ten times a second; a step that made one on the team's would do so every time.</summary>
        public void RequireNothing(int first, int last)
        {
            Assert.Equal(0, onThread[last] - onThread[first]);
            Assert.Equal(reserved[first], reserved[last]);
            int still = Enumerable.Range(first, last - first).Count(step => onAll[step + 1] == onAll[step]);
            Assert.True(still > 0, $"every one of {last - first} steps made an object on some thread");
        }
    }

    private sealed class KeepingAdapter() : Adapter("keeping")
    {
        public List<Tensor> Given { get; } = [];

        public override IReadOnlyList<Parameter> Parameters => [];

        public override int EffectiveRank => 0;

        public override Tensor Forward(Tensor x, Tensor weight, Tensor? bias, Activation activation = Activation.None)
        {
            Tensor y = Ops.Linear(x, weight, bias);
            Given.Add(y);
            return y;
        }

        public override Tensor Merged(Tensor weight) => weight;

        public override IEnumerable<(string Suffix, Tensor Value)> ToPeft() => [];
    }
}
