using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Benchmarks.Fuzzing;

/// <summary>
/// The checkpoint of a run of a few steps. As it is mutated, its checksum refuses it; so that what lies behind is tried too, the checksum can be made right again. What is
/// accepted is saved again and resumed from, and must be the same checkpoint; and the run must come to its end.
/// </summary>
internal sealed class CheckpointTarget
{
    public const string FileName = "checkpoint.safetensors";

    private static readonly TrainingOptions Options = new()
    {
        Adapter = new AdapterSettings { Method = new AdaLoRAMethod() },
        BatchSize = 2,
        MaxSteps = 6,
        EvaluateEvery = 2,
        Budget = new BudgetOptions(2, 1, 1, Interval: 1),
    };

    private readonly string model;
    private readonly Tokenizer tokenizer;

    public CheckpointTarget(string model)
    {
        this.model = model;
        tokenizer = Tokenizer.FromFolder(model);
    }

    /// <summary>Makes the checkpoint that is mutated, in a folder of its own.</summary>
    public string Corpus()
    {
        string folder = Directory.CreateTempSubdirectory("lora2-fuzz-checkpoint-").FullName;
        With(trainer =>
        {
            var stop = new CancellationTokenSource();
            try
            {
                trainer.Run(Path.Combine(folder, FileName), new StopAt(4, stop), stop.Token);
            }
            catch (OperationCanceledException)
            {
            }
        });
        return folder;
    }

    /// <summary>Resumes from the file.</summary>
    /// <param name="folder">Where it is.</param>
    /// <param name="signs">Whether its checksum is made right first.</param>
    public void Read(string folder, bool signs)
    {
        string path = Path.Combine(folder, FileName), again = Path.Combine(folder, "again.safetensors");
        if (signs) Sign(path);
        string? first = null;
        With(trainer =>
        {
            trainer.Resume(path);
            trainer.Save(again);
            first = ContentOf(again);
        });
        With(trainer =>
        {
            trainer.Resume(again);
            trainer.Save(again);
            if (ContentOf(again) != first) throw new FuzzException("saved again, the checkpoint is another");
            try
            {
                TrainingResult result = trainer.Run();
                if (result.Steps != Options.MaxSteps) throw new FuzzException($"the run ended after step {result.Steps}");
            }
            catch (TrainingException e)
            {
                // Numbers that are finite one by one may still not add up.
                throw new InputException(e.Message, e);
            }
        });
    }

    private void With(Action<Trainer> use)
    {
        using SequenceClassifier classifier = SequenceClassifier.FromFolder(model, config => config with { Labels = 2, LabelNames = ["bad", "good"] });
        classifier.Attach(Options.Adapter, Options.Seed);
        Example[] examples = [new("a good film", null, 1), new("a dull film", null, 0), new("great", null, 1)];
        TokenizedDataset data = TokenizedDataset.Create("films", examples, tokenizer, classifier.Config, 16);
        using var trainer = new Trainer(classifier, Options, data, data, [Metric.Accuracy]);
        use(trainer);
    }

    private static string ContentOf(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return file.ContentChecksum() + string.Join('\n', file.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Key + pair.Value));
    }

    private static void Sign(string path)
    {
        string signed = path + ".signed";
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            var writer = new SafetensorsWriter(file.Metadata);
            foreach (SafetensorsEntry entry in file.Entries) writer.Add(entry.Name, entry.Type, entry.Shape, file.GetBytes(entry).ToArray());
            writer.WriteChecked(signed);
        }

        File.Move(signed, path, overwrite: true);
    }

    private sealed class StopAt(int step, CancellationTokenSource stop) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step == step) stop.Cancel();
        }
    }
}
