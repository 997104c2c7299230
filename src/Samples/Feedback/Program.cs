// An app that learns from its users: it asks about the texts that it is least sure of, fine-tunes in process on what they answered, and puts the new adapter in the old one's place while it answers.
using LoRA2.Native;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Hosting;
using LoRA2.Native.Inference;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

string data = args.Length > 0 ? args[0] : "src/LoRA2.Native.Cli/bin/Release/net10.0/QuickStart", output = args.Length > 1 ? args[1] : "feedback";
const int Length = 64, Questions = 120;
string folder = Path.Combine(data, "all-minilm-l6-v2"), adapter = Path.Combine(output, "adapter");
Directory.CreateDirectory(adapter);

Dataset tickets = DatasetFile.Load(Path.Combine(data, "tickets.train.tsv")), held = DatasetFile.Load(Path.Combine(data, "tickets.dev.tsv"), new DatasetOptions { LabelNames = tickets.LabelNames });
var random = new Random(1);
Example[] pool = [.. tickets.Examples.OrderBy(_ => random.Next())];
List<Example> answered = [.. pool.Take(Questions)];     // what users have said so far
var request = new TextRequest { Adapter = "tickets" };

await using TextService service = TextService.Load(new LoRA2Options { ModelFolder = folder });
Learn(default);
await service.PutAdapterAsync("tickets", adapter);
double first = await Accuracy();

// The texts whose two likeliest labels are nearest to each other: here the labels of the file stand for what users would say.
Example[] open = pool[Questions..(6 * Questions)];
IReadOnlyList<Prediction> guesses = await service.PredictAsync(open, request);
Example[] asked = [.. open.Zip(guesses).OrderBy(guess => Margin(guess.Second)).Take(Questions).Select(guess => guess.First)];

// Answers come in while it learns: it stops, and begins again with all of them.
answered.AddRange(asked[..(Questions / 2)]);
using var more = new CancellationTokenSource();
try
{
    Learn(more.Token, step =>
    {
        if (step == 10) more.Cancel();
    });
}
catch (OperationCanceledException)
{
    Console.WriteLine("stopped: more answers came");
}

answered.AddRange(asked[(Questions / 2)..]);
Learn(default);
Console.WriteLine($"replaced: {await service.PutAdapterAsync("tickets", adapter)}");
double second = await Accuracy();
Console.WriteLine($"right of {held.Examples.Count} held-out tickets: {first:P0}, then {second:P0}; better: {second > first}");

void Learn(CancellationToken cancellation, Action<int>? each = null)
{
    using SequenceClassifier model = SequenceClassifier.FromFolder(folder, config => config with { Labels = tickets.LabelNames!.Count, LabelNames = tickets.LabelNames }, seed: 42);
    var options = new TrainingOptions { Adapter = new AdapterSettings { Method = new LoRA2Method { Rank = 4, OuterRank = 4 } }, MaxSteps = 40, BatchSize = 16, LearningRate = 3e-3, MaxLength = Length };
    model.Attach(options.Adapter, seed: 42);
    Tokenizer tokenizer = Tokenizer.FromFolder(folder);
    TokenizedDataset Tokens(string name, IReadOnlyList<Example> examples) => TokenizedDataset.Create(name, examples, tokenizer, model.Config, Length);
    using var trainer = new Trainer(model, options, Tokens("answers", answered), Tokens("held", [.. held.Examples.Take(50)]), [Metric.Accuracy]);
    trainer.Run(null, new AtOnce(value =>
    {
        if (value.Step % 20 == 0) Console.WriteLine($"learning from {answered.Count} answers: step {value.Step}/{value.TotalSteps}");
        each?.Invoke(value.Step);
    }), cancellation);
    AdapterFolder.Save(model, options.Adapter, folder, adapter, new SavedBeside { Task = new TaskDescription("tickets", tickets.LabelNames, Length, [Metric.Accuracy]) });
}

async Task<double> Accuracy()
{
    IReadOnlyList<Prediction> answers = await service.PredictAsync([.. held.Examples], request);
    return held.Examples.Zip(answers).Average(pair => tickets.LabelNames![(int)pair.First.Target!] == pair.Second.Label ? 1.0 : 0.0);
}

static double Margin(Prediction guess) => guess.Probabilities!.OrderDescending().Take(2).Aggregate((best, next) => best - next);

/// <summary>Unlike <see cref="Progress{T}"/>, on the thread that trains and at once.</summary>
internal sealed class AtOnce(Action<TrainingProgress> action) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => action(value);
}
