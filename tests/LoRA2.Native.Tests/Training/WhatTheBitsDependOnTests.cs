using System.Runtime.InteropServices;
using FsCheck.Xunit;
using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tests.Adapters;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Training;

/// <summary>The README's section of this name, sentence by sentence.</summary>
public sealed class WhatTheBitsDependOnTests : IDisposable
{
    private static readonly Tokenizer Tokenizer = Tokenizer.FromFolder(SharedData.Tokenizer);
    private static readonly SimdPath Other = SimdPaths.Current == SimdPath.Portable ? SimdPath.Vector256 : SimdPath.Portable;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private sealed record Asked
    {
        public ulong Weights { get; init; } = 3;

        public bool OtherData { get; init; }

        public TrainingOptions Options { get; init; } = new()
        {
            Adapter = new AdapterSettings { Method = SmallModel.Method("lora2") },
            BatchSize = 3,
            MaxSteps = 7,
            EvaluateEvery = 3,
            CheckpointEvery = 1,
        };

        public Precision Precision { get; init; }

        public SimdPath? Path { get; init; }

        public int? Threads { get; init; }
    }

    [Fact]
    public void TheSameRunHasTheSameBits() => Assert.Equal(Bits(new Asked()), Bits(new Asked()));

    [Fact]
    public void ThoseOfTheWeightsTheDataTheOptionsTheVectorWidthAndThePrecision()
    {
        var asked = new Asked();
        byte[] bits = Bits(asked);
        Assert.NotEqual(bits, Bits(asked with { Weights = 4 }));
        Assert.NotEqual(bits, Bits(asked with { OtherData = true }));
        Assert.NotEqual(bits, Bits(asked with { Options = asked.Options with { Seed = asked.Options.Seed + 1 } }));
        Assert.NotEqual(bits, Bits(asked with { Options = asked.Options with { LearningRate = 2 * asked.Options.LearningRate } }));
        Assert.NotEqual(bits, Bits(asked with { Path = Other }));
        Assert.NotEqual(bits, Bits(asked with { Precision = Precision.BFloat16 }));
    }

    /// <summary>What has no say in the bits may change between a run and its resumption; all that has is told apart, the device too.</summary>
    [Fact]
    public void ARunsFingerprintHasAllOfThem()
    {
        using Run run = Start(new Asked());
        string text = run.Trainer.Fingerprint.ToString();
        foreach (string part in (string[])["weights", "data", "options", "arithmetic"]) Assert.Contains($"\"{part}\":", text, StringComparison.Ordinal);
        foreach (Asked other in (Asked[])[new() { Weights = 4 }, new() { OtherData = true }, new() { Options = new Asked().Options with { Seed = 99 } }, new() { Precision = Precision.BFloat16 }])
        {
            using Run different = Start(other);
            Assert.NotNull(run.Trainer.Fingerprint.DifferenceFrom(different.Trainer.Fingerprint));
        }
    }

    [Property(MaxTest = 5)]
    public void NotTheNumberOfThreads(byte threads) => Assert.Equal(Bits(new Asked()), Bits(new Asked { Threads = 1 + (threads % 8) }));

    [Fact]
    public void NorBeingKilledAndResumed()
    {
        byte[] bits = Bits(new Asked());
        for (int kill = 1; kill < 7; kill++)
        {
            string checkpoint = folder.File("checkpoint.safetensors");
            using (Run run = Start(new Asked())) Assert.Throws<KilledException>(() => run.Trainer.Run(checkpoint, new KilledAfter(kill)));
            using Run resumed = Start(new Asked());
            resumed.Trainer.Resume(checkpoint);
            Assert.Equal(kill, resumed.Trainer.Step);
            resumed.Trainer.Run(checkpoint);
            Assert.Equal(bits, resumed.Bits());
        }
    }

    [Fact]
    public void AResumeUnderAnotherVectorWidthIsRefusedAndSaysSo()
    {
        string checkpoint = folder.File("checkpoint.safetensors");
        using (Run run = Start(new Asked())) run.Trainer.Save(checkpoint);
        SimdPath here = SimdPaths.Current;
        SimdPaths.Forced = Other;
        try
        {
            using Run resumed = Start(new Asked());
            InputException e = Assert.Throws<InputException>(() => resumed.Trainer.Resume(checkpoint));
            Assert.Contains("which rounds differently", e.Message, StringComparison.Ordinal);
            Assert.Contains(Compute.SimdPath, e.Message, StringComparison.Ordinal);
        }
        finally
        {
            SimdPaths.Forced = null;
        }

        Assert.Equal(here, SimdPaths.Current);
    }

    /// <summary>The longer the others, the more padding there is, and the fewer they are, the other kernels' tails.</summary>
    [Fact]
    public void ATextsAnswerHardlyDependsOnWhatSharesItsBatch()
    {
        var config = new DebertaV2Config { VocabularySize = 8064, Layers = 4, HiddenSize = 48, Heads = 4, IntermediateSize = 96, Labels = 3, InitializerRange = 0.1 };
        using SequenceClassifier model = SequenceClassifier.Create(config, 5);
        model.FreezeBase();
        string[] words = ["parcel", "thank", "refund", "never", "the", "arrived", "of", "service", "November", "cheers"];
        var random = new Random(7);
        Example[] texts = [.. Enumerable.Range(0, 40).Select(_ => new Example(string.Join(' ', Enumerable.Range(0, random.Next(1, 90)).Select(_ => words[random.Next(words.Length)]))))];
        TokenizedDataset Of(params Example[] some) => TokenizedDataset.Create("texts", some, Tokenizer, model.Config, 128);
        double[][] alone = [.. texts.Select(text => Predictions.Softmax(Evaluator.Logits(model, Of(text), 1)[0]))];
        double worst = 0;
        for (int batch = 2; batch <= 40; batch += 19)
        {
            double[][] together = [.. Evaluator.Logits(model, Of(texts), batch).Select(Predictions.Softmax)];
            for (int i = 0; i < texts.Length; i++) worst = Math.Max(worst, together[i].Zip(alone[i]).Max(pair => Math.Abs(pair.First - pair.Second)));
        }

        Assert.InRange(worst, 0, 1e-5);
    }

    private static byte[] Bits(Asked asked)
    {
        SimdPaths.Forced = asked.Path;
        int threads = Compute.Threads;
        if (asked.Threads is { } count) Compute.Threads = count;
        try
        {
            using Run run = Start(asked);
            run.Trainer.Run();
            return run.Bits();
        }
        finally
        {
            SimdPaths.Forced = null;
            Compute.Threads = threads;
        }
    }

    private static Run Start(Asked asked)
    {
        var config = new DebertaV2Config { VocabularySize = 8064, Layers = 1, HiddenSize = 24, Heads = 2, IntermediateSize = 40, HiddenDropout = 0.1 };
        SequenceClassifier model = SequenceClassifier.Create(config, asked.Weights, asked.Precision);
        model.Attach(asked.Options.Adapter, asked.Options.Seed);
        string[] texts = ["My parcel never arrived.", "Thank you!", "Where is the refund?", "Cheers", asked.OtherData ? "No" : "Yes"];
        TokenizedDataset data = TokenizedDataset.Create("parcels", [.. texts.Select((text, i) => new Example(text, null, i % 2))], Tokenizer, config, 32);
        return new Run(model, new Trainer(model, asked.Options, data, data, [Metric.Accuracy]));
    }

    private sealed record Run(SequenceClassifier Model, Trainer Trainer) : IDisposable
    {
        public byte[] Bits() => [.. Model.Parameters.Where(parameter => parameter.IsTrainable).SelectMany(parameter => MemoryMarshal.AsBytes(parameter.Value.AsSpan<float>()).ToArray())];

        public void Dispose()
        {
            Trainer.Dispose();
            Model.Dispose();
        }
    }

    private sealed class KilledAfter(int step) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step == step) throw new KilledException();
        }
    }
}
