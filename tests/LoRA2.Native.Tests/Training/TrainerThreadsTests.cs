using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tests.Adapters;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Training;

/// <summary>A trainer, or its model, that is disposed of while a run goes on. LORA2_STRESS_ROUNDS sets the number of rounds.</summary>
public sealed class TrainerThreadsTests : IDisposable
{
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("LORA2_STRESS_ROUNDS"), out int rounds) ? rounds : 20;
    private static readonly Tokenizer Tokenizer = Tokenizer.FromFolder(SharedData.Tokenizer);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task ARunEndsOrFindsItsTrainerOrModelGone()
    {
        var config = new DebertaV2Config { VocabularySize = 8064, Layers = 1, HiddenSize = 8, Heads = 2, IntermediateSize = 8 };
        Example[] examples = [new("My parcel never arrived.", null, 0), new("Thank you!", null, 1)];
        TokenizedDataset data = TokenizedDataset.Create("parcels", examples, Tokenizer, config, 32);
        var options = new TrainingOptions { Adapter = new AdapterSettings { Method = SmallModel.Method("lora2") }, BatchSize = 2, MaxSteps = 40, EvaluateEvery = 3, CheckpointEvery = 2 };
        string checkpoint = folder.File("checkpoint.safetensors");
        int ended = 0;
        for (int round = 0; round < Rounds; round++)
        {
            SequenceClassifier model = SequenceClassifier.Create(config, 3);
            model.Attach(options.Adapter, 4);
            var trainer = new Trainer(model, options, data, data, [Metric.Accuracy]);
            var progress = new Steps();
            Task run = Task.Factory.StartNew(
                () =>
                {
                    try
                    {
                        trainer.Run(checkpoint, progress);
                        Interlocked.Increment(ref ended);
                    }
                    catch (ObjectDisposedException)
                    {
                    }
                },
                TaskCreationOptions.LongRunning);
            SpinWait.SpinUntil(() => progress.Last >= round % 41 || run.IsCompleted);
            if (round % 2 == 0)
            {
                trainer.Dispose();
                model.Dispose();
            }
            else
            {
                model.Dispose();
                trainer.Dispose();
            }

            await run;
            Assert.Throws<ObjectDisposedException>(() => trainer.Run());
            Assert.Throws<ObjectDisposedException>(() => trainer.Resume(checkpoint));
            Assert.Throws<ObjectDisposedException>(() => trainer.Save(checkpoint));
        }

        Assert.InRange(ended, 0, Rounds - 1);
    }

    private sealed class Steps : IProgress<TrainingProgress>
    {
        public int Last { get; private set; }

        public void Report(TrainingProgress value) => Last = value.Step;
    }
}
