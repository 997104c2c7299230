using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Extension.Tests;

/// <summary>A run with a family, a method, a metric and a format from outside; saved and loaded in every way.</summary>
public sealed class OwnRunTests : IClassFixture<Outsiders>, IDisposable
{
    private static readonly string[] Words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "fine", "bad", "poor", "a", "day", "night"];

    private readonly Metric logLoss;
    private readonly TemporaryFolder folder = new();
    private readonly string model;

    public OwnRunTests(Outsiders outsiders)
    {
        logLoss = outsiders.LogLoss;
        model = folder.File("model");
        string source = Directory.CreateDirectory(folder.File("source")).FullName;
        File.WriteAllText(Path.Combine(source, "config.json"), """
            {"model_type": "mean-former", "vocab_size": 12, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 16,
             "initializer_range": 0.5, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "pad_token_id": 0}
            """);
        File.WriteAllLines(Path.Combine(source, "vocab.txt"), Words);
        using SequenceClassifier fresh = SequenceClassifier.Create(EncoderConfigReader.FromFolder(source), 7);
        ModelFolder.Save(fresh, source, model);
        folder.Write("d.lines", "yes: a good day\nno: a bad day\nyes: fine night\nno: poor night\nyes: good good\nno: bad poor day\n");
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AMethodFromOutsideTrainsAFamilyFromOutside()
    {
        using SequenceClassifier trained = SequenceClassifier.FromFolder(model, seed: 1);
        (TrainingResult result, AdapterSettings settings, TokenizedDataset data) = Run(trained, new OutputScaleMethod { Start = 0.5 });

        // The weights are those of the least loss.
        Assert.Equal("log_loss", result.Best!.Metrics[0].Name);
        Assert.Equal(result.History.Min(point => point.Metrics[0].Value), result.Best.Metrics[0].Value);
        Assert.True(result.Best.Metrics[0].Value < result.History[0].Metrics[0].Value);
        Assert.Equal(4, trained.Adapters().Count());

        string adapter = folder.File("adapter");
        AdapterFolder.Save(trained, settings, model, adapter);
        new TaskDescription("days", ["no", "yes"], 16, [logLoss, Metric.Accuracy]).Write(adapter);
        float[][] logits = Evaluator.Logits(trained, data, 4);

        using (TextClassifier loaded = TextClassifier.Load(model, adapter))
        {
            Assert.Equal(new OutputScaleMethod { Start = 0.5 }, loaded.Adapter!.Method);
            Assert.Empty(loaded.Adapter.UnknownFields);
            Assert.Equal(logits, Evaluator.Logits(loaded.Model, data, 4));
            Assert.Equal(result.Best.Metrics.Select(metric => metric.Name), loaded.Evaluate(Data()).Values.Select(metric => metric.Name));
            Assert.Equal(result.Best.Metrics[0].Value, loaded.Evaluate(Data()).Primary.Value, 1e-6);
            Assert.Equal("yes", loaded.Predict("good day").Label);
            Assert.Equal("no", loaded.Predict("poor bad").Label);
        }

        string merged = folder.File("merged");
        using (trained.Merge()) ModelFolder.Save(trained, model, merged);
        using SequenceClassifier whole = SequenceClassifier.FromFolder(merged);
        Assert.All(Evaluator.Logits(whole, data, 4).SelectMany(row => row).Zip(logits.SelectMany(row => row)), pair => Assert.Equal(pair.Second, pair.First, 1e-5f));
    }

    public static TheoryData<string> Methods => [.. AdapterMethods.All.Where(method => method.PeftType is not null and not "OUTPUT_SCALE").Select(method => method.Name)];

    [Theory]
    [MemberData(nameof(Methods))]
    public void EveryMethodOfTheLibraryTrainsAFamilyFromOutside(string name)
    {
        using SequenceClassifier trained = SequenceClassifier.FromFolder(model, seed: 1);
        AdapterMethod method = AdapterMethods.Named(name);
        foreach (MethodOption option in method.Options.Where(option => option.Name is "rank" or "outer-rank")) method = option.With(method, "2");
        (TrainingResult result, AdapterSettings settings, TokenizedDataset data) = Run(trained, method);
        Assert.True(result.Best!.Metrics[0].Value < result.History[0].Metrics[0].Value);
        string adapter = folder.File("adapter");
        AdapterFolder.Save(trained, settings, model, adapter);
        using TextClassifier loaded = TextClassifier.Load(model, adapter);
        Assert.All(
            Evaluator.Logits(loaded.Model, data, 4).SelectMany(row => row).Zip(Evaluator.Logits(trained, data, 4).SelectMany(row => row)), pair => Assert.Equal(pair.Second, pair.First, 1e-5f));
    }

    [Fact]
    public void AFormatsErrorsNameTheLine()
    {
        string path = folder.Write("bad.lines", "yes: a good day\nnothing\n");
        Assert.Equal($"{path}, line 2: there is no colon, expected a label before one.", Assert.Throws<InputException>(() => DatasetFile.Load(path)).Message);
    }

    [Fact]
    public void AMetricOfScoresIsNotForClasses()
    {
        using SequenceClassifier trained = SequenceClassifier.FromFolder(model);
        string adapter = folder.File("adapter");
        new TaskDescription("days", ["no", "yes"], 16, [Metric.Pearson]).Write(Directory.CreateDirectory(adapter).FullName);
        Assert.Contains("metric 'pearson' compares scores; one that compares classes was expected", Assert.Throws<InputException>(() => TaskDescription.Read(adapter)).Message, StringComparison.Ordinal);
    }

    private Dataset Data() => DatasetFile.Load(folder.File("d.lines"));

    private (TrainingResult Result, AdapterSettings Settings, TokenizedDataset Data) Run(SequenceClassifier trained, AdapterMethod method)
    {
        var settings = new AdapterSettings { Method = method, Targets = ["up", "output"] };
        var options = new TrainingOptions { Adapter = settings, BatchSize = 3, MaxSteps = 40, LearningRate = 0.02, EvaluateEvery = 5, MaxLength = 16 };
        trained.Attach(settings, options.Seed);
        TokenizedDataset data = TokenizedDataset.Create("days", Data().Examples, Tokenizer.FromFolder(model), trained.Config, 16);
        using var trainer = new Trainer(trained, options, data, data, [logLoss, Metric.Accuracy]);
        return (trainer.Run(), settings, data);
    }
}
