// Learns to find names of people and places from a few sentences with spans, and finds them in texts it has not seen: what "lora2 finetune --task tokens" does, in process.
using LoRA2.Native;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

string folder = args.Length > 0 ? args[0] : "src/LoRA2.Native.Cli/bin/Release/net10.0/QuickStart/all-minilm-l6-v2", output = args.Length > 1 ? args[1] : "sample-tags";
Directory.CreateDirectory(output);
string train = Write("train.jsonl", ["Maria", "Peter", "Aisha", "Kenji", "Olga", "Diego"], ["Lisbon", "Berlin", "Cairo", "Kyoto", "Oslo", "Lima"]);
string development = Write("dev.jsonl", ["Anna", "Thomas", "Yuki"], ["Paris", "Madrid", "Rome"]);

var reading = new DatasetOptions { Kind = TaskKinds.Tokens };
Dataset known = DatasetFile.Load(train, reading), held = DatasetFile.Load(development, reading with { LabelNames = DatasetFile.Load(train, reading).LabelNames });
var options = new TrainingOptions { Adapter = new AdapterSettings { Method = new LoRAMethod { Rank = 8 } }, Epochs = 8, BatchSize = 8, LearningRate = 2e-3, MaxLength = 64 };
using (SequenceClassifier model = SequenceClassifier.FromFolder(folder, config => config with { Task = TaskKinds.Tokens, Labels = known.LabelNames!.Count, LabelNames = known.LabelNames }, seed: 42))
{
    model.Attach(options.Adapter, seed: 42);
    Tokenizer tokenizer = Tokenizer.FromFolder(folder);
    TokenizedDataset Tokens(Dataset set) => TokenizedDataset.Create(set.Name, set.Examples, tokenizer, model.Config, 64);
    using var trainer = new Trainer(model, options, Tokens(known), Tokens(held), TaskKinds.Tokens.MetricsFor(known.LabelNames!.Count));
    double f1 = trainer.Run().Best!.Metrics[0].Value;
    // The names to be found are none of those that were seen: a list of them finds nothing.
    Console.WriteLine($"F1 of entities is above a dictionary's 0 by far: {f1 > 0.6}");
    AdapterFolder.Save(model, options.Adapter, folder, output);
    new TaskDescription("names", known.LabelNames, 64, TaskKinds.Tokens.MetricsFor(known.LabelNames!.Count)) { Kind = TaskKinds.Tokens }.Write(output);
}

using TokenClassifier tagger = TokenClassifier.Load(folder, output);
foreach (EntitySpan span in tagger.Predict("Yesterday Clara went to Vienna.").Spans) Console.WriteLine($"{span.Start}-{span.End} {span.Label} {span.Text}");

string Write(string name, string[] people, string[] places)
{
    string[] frames = ["{0} lives in {1}.", "Yesterday {0} went to {1}.", "In {1} it rained, said {0}.", "{0} likes {1}, and the weather there.", "A letter from {0} came from {1}."];
    string path = Path.Combine(output, name);
    File.WriteAllLines(path, people.SelectMany((person, i) => frames.Select((frame, j) =>
    {
        string place = places[(i + j) % places.Length], text = string.Format(System.Globalization.CultureInfo.InvariantCulture, frame, person, place);
        return $$"""{"text": "{{text}}", "spans": [[{{text.IndexOf(person, StringComparison.Ordinal)}}, {{text.IndexOf(person, StringComparison.Ordinal) + person.Length}}, "PER"], [{{text.IndexOf(place, StringComparison.Ordinal)}}, {{text.IndexOf(place, StringComparison.Ordinal) + place.Length}}, "LOC"]]}""";
    })));
    return path;
}
