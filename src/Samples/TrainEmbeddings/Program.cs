// Trains vectors so that messages about the same thing are near each other: what "lora2 finetune --task embeddings" does, in process, with pairs of tickets that have the same topic or not.
using LoRA2.Native;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

string quick = args.Length > 0 ? args[0] : "src/LoRA2.Native.Cli/bin/Release/net10.0/QuickStart", folder = Path.Combine(quick, "all-minilm-l6-v2"), output = args.Length > 1 ? args[1] : "sample-embeddings";
Directory.CreateDirectory(output);
TaskKind kind = TaskKinds.Embeddings.ForModel(folder, maxLength: 64);
Dataset train = Pairs("tickets.train.tsv", 256), development = Pairs("tickets.dev.tsv", 100);

var options = new TrainingOptions { Adapter = new AdapterSettings { Method = new LoRAMethod { Rank = 8 } }, Epochs = 2, BatchSize = 16, LearningRate = 1e-3, MaxLength = 64 };
IReadOnlyList<Metric> metrics = kind.MetricsOf(development);
using (SequenceClassifier model = SequenceClassifier.FromFolder(folder, config => config with { Task = kind, Labels = 1, LabelNames = null }))
{
    model.Attach(options.Adapter, seed: 42);
    Tokenizer tokenizer = Tokenizer.FromFolder(folder);
    TokenizedDataset Tokens(Dataset set) => TokenizedDataset.Create(set.Name, set.Examples, tokenizer, model.Config, 64);
    TokenizedDataset held = Tokens(development);
    double before = Evaluator.Evaluate(model, held, metrics, 32).Primary.Value;
    using var trainer = new Trainer(model, options, Tokens(train), held, metrics);
    double after = trainer.Run().Best!.Metrics[0].Value;
    double words = Metric.Spearman.Compute(Predictions.OfScores([.. development.Examples.Select(WordsInCommon)], [.. development.Examples.Select(pair => (double)pair.Target!)]));
    Console.WriteLine($"correlation with \"the same topic\" above that of words in common by 0.3: {after > words + 0.3}");
    Console.WriteLine($"above what it was before training by 0.02: {after > before + 0.02}");
    if (args.Length > 2) Console.WriteLine($"{words:F3}, {before:F3}, {after:F3}");
    AdapterFolder.Save(model, options.Adapter, folder, output);
    new TaskDescription("topics", null, 64, metrics) { Kind = kind }.Write(output);
}

using TextEmbedder embedder = TextEmbedder.Load(folder, output);
IReadOnlyList<TextVector> vectors = embedder.EmbedDocuments(["Where is my order?", "The courier did not come."]);
Console.WriteLine($"{vectors.Count} vectors of {embedder.Dimensions} dimensions");

// Each ticket with another one: every second time one of the same topic.
Dataset Pairs(string name, int count)
{
    string[][] tickets = [.. File.ReadLines(Path.Combine(quick, name)).Skip(1).Select(line => line.Split('\t'))];
    return new Dataset(name, [.. Enumerable.Range(0, count).Select(i =>
    {
        string[] first = tickets[i * 7 % tickets.Length];
        string[][] others = [.. tickets.Where(ticket => ticket != first && ticket[1] == first[1] == (i % 2 == 0))];
        return new Example(first[0], others[i * 13 % others.Length][0], i % 2 == 0 ? 1 : 0);
    })], null);
}

// The words that two texts share, as a part of all they have.
static double WordsInCommon(Example pair)
{
    static HashSet<string> Words(string text) => [.. text.ToLowerInvariant().Split(' ', '.', ',', '?', '!').Where(word => word.Length > 0)];
    (HashSet<string> first, HashSet<string> second) = (Words(pair.Text), Words(pair.Pair!));
    return first.Intersect(second).Count() / (double)first.Union(second).Count();
}
