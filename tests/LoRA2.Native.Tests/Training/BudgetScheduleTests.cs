using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tests.Adapters;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Training;

public sealed class BudgetScheduleTests
{
    /// <summary>What was asked for is what is saved: an evaluation over the budget must not choose, however good it is, and patience counts from there.</summary>
    [Theory]
    [InlineData("lora2", 4, 0)]
    [InlineData("adalora", 4, 0)]
    [InlineData("lora2", 4, 2)]
    [InlineData("lora2", 0, 0)]
    public void TheBestWeightsAreWithinTheBudget(string method, int finalSteps, int patience)
    {
        var config = new DebertaV2Config { VocabularySize = 8064, Layers = 1, HiddenSize = 16, Heads = 2, IntermediateSize = 24 };
        using SequenceClassifier model = SequenceClassifier.Create(config, 3);
        var options = new TrainingOptions
        {
            Adapter = new AdapterSettings { Method = SmallModel.Method(method) },
            BatchSize = 2,
            MaxSteps = 16,
            EvaluateEvery = 1,
            Patience = patience,
            Budget = new BudgetOptions(1, 2, finalSteps, Interval: 2),
        };
        model.Attach(options.Adapter, 4);
        Example[] examples = [new("My parcel never arrived.", null, 0), new("Thank you!", null, 1)];
        TokenizedDataset data = TokenizedDataset.Create("parcels", examples, Tokenizer.FromFolder(SharedData.Tokenizer), config, 32);
        using var trainer = new Trainer(model, options, data, data, [Metric.Accuracy]);
        TrainingResult result = trainer.Run();
        int matrices = trainer.Ranks!.Adapters.Count;
        Assert.InRange(trainer.Ranks.Adapters.Sum(adapter => adapter.EffectiveRank), 0, matrices);
        Assert.InRange(result.Best!.Step, 16 - Math.Max(finalSteps, 1) + 1, 16);
        if (patience > 0) Assert.True(result.Steps >= result.Best.Step + patience || result.Steps == 16, $"stopped after step {result.Steps}, the best was {result.Best.Step}");
    }

    [Fact]
    public void PatienceIsNotOneEvaluationLate()
    {
        // The loss of a rate of 0 never falls: the first evaluation is the best, and as many as patience allows follow.
        var config = new DebertaV2Config { VocabularySize = 8064, Layers = 1, HiddenSize = 16, Heads = 2, IntermediateSize = 24 };
        using SequenceClassifier model = SequenceClassifier.Create(config, 3);
        var options = new TrainingOptions { Adapter = new AdapterSettings { Method = SmallModel.Method("lora") }, BatchSize = 2, MaxSteps = 16, EvaluateEvery = 1, Patience = 3, LearningRate = 0 };
        model.Attach(options.Adapter, 4);
        Example[] examples = [new("My parcel never arrived.", null, 0), new("Thank you!", null, 1)];
        TokenizedDataset data = TokenizedDataset.Create("parcels", examples, Tokenizer.FromFolder(SharedData.Tokenizer), config, 32);
        using var trainer = new Trainer(model, options, data, data, [Metric.Accuracy]);
        TrainingResult result = trainer.Run();
        Assert.Equal(1, result.Best!.Step);
        Assert.Equal(4, result.Steps);
        Assert.True(result.StoppedEarly);
    }
}
