// Fine-tunes in process: progress, an interruption, and a second trainer that goes on where the first one was. Leaves an adapter for the sample Classify.
using LoRA2.Native;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

string data = args.Length > 0 ? args[0] : "src/LoRA2.Native.Cli/bin/Release/net10.0/QuickStart", output = args.Length > 1 ? args[1] : "sample-adapter";
const int Length = 64;
string folder = Path.Combine(data, "all-minilm-l6-v2");
Directory.CreateDirectory(output);

Dataset tickets = DatasetFile.Load(Path.Combine(data, "tickets.train.tsv"));
Dataset held = DatasetFile.Load(Path.Combine(data, "tickets.dev.tsv"), new DatasetOptions { LabelNames = tickets.LabelNames });
var options = new TrainingOptions
{
    Adapter = new AdapterSettings { Method = new LoRA2Method { Rank = 4, OuterRank = 4 } },
    MaxSteps = 40,
    BatchSize = 16,
    LearningRate = 3e-3,
    MaxLength = Length,
};

string checkpoint = Path.Combine(output, "checkpoint.safetensors");
using var stop = new CancellationTokenSource();     // a program with a Cancel button would call Cancel there
try
{
    Train(new AtOnce(value => { if (value.Step == 20) stop.Cancel(); }), stop.Token);
}
catch (OperationCanceledException)
{
    Console.WriteLine("stopped; the checkpoint has everything");
}

Train(new AtOnce(value => { if (value.Step % 20 == 0) Console.WriteLine($"step {value.Step}/{value.TotalSteps}"); }), default);

void Train(IProgress<TrainingProgress> progress, CancellationToken cancellation)
{
    using SequenceClassifier model = SequenceClassifier.FromFolder(folder, config => config with { Labels = tickets.LabelNames!.Count, LabelNames = tickets.LabelNames }, seed: 42);
    model.Attach(options.Adapter, seed: 42);
    Tokenizer tokenizer = Tokenizer.FromFolder(folder);
    TokenizedDataset Tokens(Dataset set) => TokenizedDataset.Create(set.Name, set.Examples, tokenizer, model.Config, Length);
    using var trainer = new Trainer(model, options, Tokens(tickets), Tokens(held), [Metric.Accuracy]);
    if (File.Exists(checkpoint)) trainer.Resume(checkpoint);
    TrainingResult result = trainer.Run(checkpoint, progress, cancellation);
    double chance = 1.0 / tickets.LabelNames!.Count;
    Console.WriteLine($"accuracy after step {result.Best!.Step} is better than guessing: {result.Best.Metrics[0].Value > 1.5 * chance}");
    var task = new TaskDescription("tickets", tickets.LabelNames, Length, [Metric.Accuracy]);
    AdapterFolder.Save(model, options.Adapter, folder, output, new SavedBeside { Task = task });
    File.Delete(checkpoint);
}

/// <summary>Unlike <see cref="Progress{T}"/>, on the thread that trains and at once.</summary>
internal sealed class AtOnce(Action<TrainingProgress> action) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => action(value);
}
