// An adapter method of one's own, from outside the library: LoRA-FA (arXiv 2308.03303), which trains B alone. Registered once, it can be attached, trained, saved, loaded and exported.
using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Samples;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

AdapterMethods.Register(new LoRAFAMethod());

string data = args.Length > 0 ? args[0] : "src/LoRA2.Native.Cli/bin/Release/net10.0/QuickStart", output = args.Length > 1 ? args[1] : "sample-own-method";
string folder = Path.Combine(data, "all-minilm-l6-v2");
Example[] examples = [new("The parcel never came.", Target: 0), new("I love this shop.", Target: 1), new("It arrived broken.", Target: 0), new("Great service, thank you.", Target: 1)];
var options = new TrainingOptions { Adapter = new AdapterSettings { Method = new LoRAFAMethod { Rank = 4 } }, MaxSteps = 10, BatchSize = 4, MaxLength = 16 };

using SequenceClassifier model = SequenceClassifier.FromFolder(folder, config => config with { Labels = 2 }, seed: 1);
model.Attach(options.Adapter, seed: 1);
TokenizedDataset tokens = TokenizedDataset.Create("few", examples, Tokenizer.FromFolder(folder), model.Config, 16);
using (var trainer = new Trainer(model, options, tokens, null, [Metric.Accuracy])) trainer.Run();
Directory.CreateDirectory(output);
AdapterFolder.Save(model, options.Adapter, folder, output);

using SequenceClassifier loaded = SequenceClassifier.FromFolder(folder, config => config with { Labels = 2 });
AdapterSettings settings = AdapterFolder.Load(loaded, output);
Console.WriteLine($"loaded  {settings.Method.Description}");
Console.WriteLine($"same    {Evaluator.Logits(model, tokens, 4).SelectMany(row => row).SequenceEqual(Evaluator.Logits(loaded, tokens, 4).SelectMany(row => row))}");
Console.WriteLine($"as LoRA {PlainLoRA.Convert(loaded, settings).Method.Description}");
