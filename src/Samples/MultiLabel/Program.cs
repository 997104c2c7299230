// Learns to say which topics a message has, any number of them, with rare topics counting more: what "lora2 finetune --task multi-label --class-weights balanced" does, in process.
using LoRA2.Native;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

string quick = args.Length > 0 ? args[0] : "src/LoRA2.Native.Cli/bin/Release/net10.0/QuickStart", folder = Path.Combine(quick, "all-minilm-l6-v2"), output = args.Length > 1 ? args[1] : "sample-multi-label";
Directory.CreateDirectory(output);
var reading = new DatasetOptions { Kind = new MultiLabelTask { Weighting = ClassWeights.Balanced } };
Dataset train = DatasetFile.Load(Messages("tickets.train.tsv", 360), reading);
Dataset development = DatasetFile.Load(Messages("tickets.dev.tsv", 90), reading with { LabelNames = train.LabelNames });
TaskKind kind = reading.Kind.ForTraining(train);

var options = new TrainingOptions { Adapter = new AdapterSettings { Method = new LoRAMethod { Rank = 8 } }, Epochs = 2, BatchSize = 16, LearningRate = 3e-3, MaxLength = 64 };
IReadOnlyList<Metric> metrics = kind.MetricsFor(train.LabelNames!.Count);
using (SequenceClassifier model = SequenceClassifier.FromFolder(folder, config => config with { Task = kind, Labels = train.LabelNames.Count, LabelNames = train.LabelNames }, seed: 42))
{
    model.Attach(options.Adapter, seed: 42);
    Tokenizer tokenizer = Tokenizer.FromFolder(folder);
    TokenizedDataset Tokens(Dataset set) => TokenizedDataset.Create(set.Name, set.Examples, tokenizer, model.Config, 64);
    using var trainer = new Trainer(model, options, Tokens(train), Tokens(development), metrics);
    double f1 = trainer.Run().Best!.Metrics[0].Value, always = kind.Baseline(development, train.LabelNames)!.Value.Value;
    Console.WriteLine($"micro F1 above that of always answering the most frequent topic by 0.3: {f1 > always + 0.3}");
    if (args.Length > 2) Console.WriteLine($"{f1:F3}, {always:F3}");
    AdapterFolder.Save(model, options.Adapter, folder, output);
    new TaskDescription("topics", train.LabelNames, 64, metrics) { Kind = kind }.Write(output);
}

using TextClassifier classifier = TextClassifier.Load(folder, output);
Console.WriteLine(string.Join(", ", classifier.Predict("I was charged twice for the same invoice. The parcel has not come either, where is it?").Labels!));

// Messages of one or two of the quick start's tickets, with the topics of both.
string Messages(string name, int count)
{
    string[][] tickets = [.. File.ReadLines(Path.Combine(quick, name)).Skip(1).Select(line => line.Split('\t'))];
    string path = Path.Combine(output, name);
    File.WriteAllLines(path, Enumerable.Range(0, count).Select(i =>
    {
        (string[] first, string[] second) = (tickets[i * 7 % tickets.Length], tickets[((i * 11) + 3) % tickets.Length]);
        return i % 3 == 0 ? string.Join('\t', first) : $"{first[0]} {second[0]}\t{first[1]},{second[1]}";
    }).Prepend("text\tlabels"));
    return path;
}
