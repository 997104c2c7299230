// A small BERT learns texts from nothing by guessing hidden words, then goes on with those of a topic that it has not seen: "lora2 pretrain --from-scratch" and "lora2 pretrain", in process.
using System.Text.RegularExpressions;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

const string Topic = "technical_fault";
string quick = args.Length > 0 ? args[0] : "src/LoRA2.Native.Cli/bin/Release/net10.0/QuickStart", output = args.Length > 1 ? args[1] : "sample-pretrain";
string drawn = Path.Combine(output, "drawn"), first = Path.Combine(output, "first"), second = Path.Combine(output, "second");
foreach (string folder in (string[])[drawn, first, second]) Directory.CreateDirectory(folder);
string[][] tickets = [.. File.ReadLines(Path.Combine(quick, "tickets.train.tsv")).Skip(1).Select(line => line.Split('\t'))];
ILookup<bool, string> texts = ByTopic(i => i % 10 != 9), held = ByTopic(i => i % 10 == 9);

// A folder as HuggingFace's, but for the weights: the words of the texts are its vocabulary.
string[] words = [.. texts.SelectMany(some => some).SelectMany(Words).Distinct().Order(StringComparer.Ordinal)];
File.WriteAllLines(Path.Combine(drawn, "vocab.txt"), ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. words]);
File.WriteAllText(Path.Combine(drawn, "tokenizer_config.json"), """{"tokenizer_class": "BertTokenizer", "do_lower_case": true, "model_max_length": 64}""");
File.WriteAllText(Path.Combine(drawn, "config.json"), $$"""
    {"model_type": "bert", "vocab_size": {{words.Length + 5}}, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 256,
     "max_position_embeddings": 64, "type_vocab_size": 2, "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    """);
Tokenizer tokenizer = Tokenizer.FromFolder(drawn);

// From nothing, on all topics but one: the whole model is written.
double perplexity, frequency = ByFrequency([.. texts[false]], [.. held[false]]);
using (SequenceClassifier model = SequenceClassifier.Create(Masked(EncoderConfigReader.FromFolder(drawn)), seed: 42))
{
    (_, perplexity) = Train(model, new FullMethod(), 2e-3, 16, false);
    ModelFolder.Save(model, drawn, first);
}

Console.WriteLine($"perplexity below three quarters of that of guessing each word by how frequent it is: {perplexity < frequency * 3 / 4}");

// On with it, on the topic that it has not seen: an adapter of that folder is written.
using (SequenceClassifier model = SequenceClassifier.FromFolder(first, Masked))
{
    (double before, double after) = Train(model, new LoRAMethod { Rank = 8 }, 1e-2, 6, true);
    Console.WriteLine($"of the new topic below three quarters of what it was: {after < before * 3 / 4}");
    AdapterFolder.Save(model, new AdapterSettings { Method = new LoRAMethod { Rank = 8 } }, first, second);
    if (args.Length > 2) Console.WriteLine($"{frequency:F1}, {perplexity:F1}; {before:F1}, {after:F1}");
}

static EncoderConfig Masked(EncoderConfig config) => config with { Task = TaskKinds.Masked };

// The perplexity of hidden words in the held-out texts, before and after.
(double Before, double After) Train(SequenceClassifier model, AdapterMethod method, double rate, int epochs, bool topic)
{
    var options = new TrainingOptions { Adapter = new AdapterSettings { Method = method }, Epochs = epochs, BatchSize = 4, LearningRate = rate, MaxLength = 64 };
    model.Attach(options.Adapter, seed: 42);
    TokenizedDataset Tokens(string name, IEnumerable<string> lines) => TaskKinds.Masked.Tokenize(name, [.. lines.Select(line => new Example(line) { Targets = [] })], tokenizer, model.Config, 64);
    TokenizedDataset development = Tokens("held", held[topic]);
    double before = Evaluator.Evaluate(model, development, [Metric.Perplexity], 32).Primary.Value;
    using var trainer = new Trainer(model, options, Tokens("tickets", texts[topic]), development, [Metric.Perplexity]);
    return (before, trainer.Run().Best!.Metrics[0].Value);
}

// The same of who knows how often each token was seen, and nothing of those around it.
double ByFrequency(string[] seen, string[] unseen)
{
    Dictionary<int, int> counts = seen.SelectMany(Ids).CountBy(id => id).ToDictionary();
    double all = counts.Values.Sum() + words.Length;
    return Math.Exp(unseen.SelectMany(Ids).Average(id => -Math.Log((counts.GetValueOrDefault(id) + 1) / all)));
}

int[] Ids(string text) => tokenizer.Encode(text, addSpecialTokens: false);

ILookup<bool, string> ByTopic(Func<int, bool> chosen) => tickets.Where((_, i) => chosen(i)).ToLookup(ticket => ticket[1] == Topic, ticket => ticket[0]);

static IEnumerable<string> Words(string text) => Regex.Matches(text.ToLowerInvariant(), @"[\p{L}\p{N}]+|[^\s\p{L}\p{N}]").Select(match => match.Value);
