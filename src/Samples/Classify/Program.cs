// Classifies texts with an adapter on its base model: what the sample FineTune left, or folders of your own.
using LoRA2.Native.Data;
using LoRA2.Native.Inference;

string model = args.Length > 0 ? args[0] : "src/LoRA2.Native.Cli/bin/Release/net10.0/QuickStart/all-minilm-l6-v2", adapter = args.Length > 1 ? args[1] : "sample-adapter";
using TextClassifier classifier = TextClassifier.Load(model, adapter);
Console.WriteLine($"classes: {string.Join(", ", classifier.Task.LabelNames!)}");

Prediction one = classifier.Predict("The courier never brought my package.");
Console.WriteLine($"one: {one.Label} of {one.Probabilities!.Count}, probabilities add up to {one.Probabilities.Sum():F3}");

// Many at once are computed in batches of similar length.
Example[] examples = [new("I was charged twice this month."), new("The app crashes when I open the settings."), new("Please end my subscription at the end of June.")];
foreach ((Example example, Prediction answer) in examples.Zip(classifier.Predict(examples))) Console.WriteLine($"{answer.Label}: {example.Text}");
