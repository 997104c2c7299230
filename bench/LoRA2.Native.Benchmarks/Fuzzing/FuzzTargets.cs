using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Benchmarks.Fuzzing;

/// <summary>Everything here that reads files. The corpora are the project's own fixtures.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<FuzzTarget> Of(string fixtures)
    {
        string cases = Path.Combine(fixtures, "cases");
        string[] models = [Path.Combine(cases, "13-peft-fields", "base"), .. Directory.GetDirectories(Path.Combine(fixtures, "golden"), "*_tiny").Where(folder => File.Exists(Path.Combine(folder, "config.json")))];
        string[] adapters = [.. Directory.GetDirectories(Path.Combine(cases, "13-peft-fields")).Where(AdapterFolder.Exists)];
        string bert = models[0];
        var run = new CheckpointTarget(bert);
        return
        [
            new("safetensors", "model.safetensors", [.. models.Where(folder => File.Exists(Path.Combine(folder, "model.safetensors")))], folder => Safetensors(Path.Combine(folder, "model.safetensors"))),
            new("model", "model.safetensors", [bert], folder => Predict(folder, null)),
            new("config", "config.json", [bert], folder => Predict(folder, null)),
            new("encoder-config", "config.json", models, folder => EncoderConfigReader.FromFolder(folder)),
            new("adapter-config", "adapter_config.json", adapters, folder => Adapter(bert, folder)),
            new("adapter", "adapter_model.safetensors", adapters, folder => Adapter(bert, folder)),
            new("tokenizer", "tokenizer.json", [Path.Combine(cases, "16-new-emoji")], Tokenize),
            new("vocabulary", "vocab.txt", [bert], Tokenize),
            new("tokenizer-config", "tokenizer_config.json", [bert, Path.Combine(cases, "16-new-emoji")], Tokenize),
            new("checkpoint", CheckpointTarget.FileName, [run.Corpus()], folder => run.Read(folder, signs: false)),
            new("checkpoint-signed", CheckpointTarget.FileName, [run.Corpus()], folder => run.Read(folder, signs: true)),
            new("tsv", "pandas.tsv", [Path.Combine(cases, "14-quoted-tsv")], folder => DataTarget.Read(Path.Combine(folder, "pandas.tsv"))),
            new("tsv-rows", "data.tsv", [], folder => DataTarget.Read(Path.Combine(folder, "data.tsv"))) { Draw = random => new DrawnRows(random).Tsv() },
            new("csv-rows", "data.csv", [], folder => DataTarget.Read(Path.Combine(folder, "data.csv"))) { Draw = random => new DrawnRows(random).Csv() },
            new("jsonl-rows", "data.jsonl", [], folder => DataTarget.Read(Path.Combine(folder, "data.jsonl"))) { Draw = random => new DrawnRows(random).JsonLines() },
        ];
    }

    private static void Safetensors(string path)
    {
        string again = path + ".again";
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var writer = new SafetensorsWriter(file.Metadata);
        foreach (SafetensorsEntry entry in file.Entries) writer.Add(entry.Name, entry.Type, entry.Shape, file.GetBytes(entry).ToArray());
        writer.WriteChecked(again);
        using SafetensorsFile saved = SafetensorsFile.Open(again);
        saved.RequireChecksum();
        if (saved.ContentChecksum() != file.ContentChecksum()) throw new FuzzException("saved again, the tensors are others");
    }

    private static void Predict(string model, string? adapter)
    {
        using TextClassifier classifier = TextClassifier.Load(model, adapter);
        classifier.Predict("a good film");
    }

    private static void Adapter(string model, string folder)
    {
        string again = Path.Combine(folder, "again");
        using TextClassifier classifier = TextClassifier.Load(model, folder);
        Prediction before = classifier.Predict("a good film");
        AdapterFolder.Save(classifier.Model, classifier.Adapter!, model, again);
        using TextClassifier loaded = TextClassifier.Load(model, again);
        Prediction after = loaded.Predict("a good film");
        if (!(Math.Abs(before.Score - after.Score) < 1e-6)) throw new FuzzException($"saved again, the adapter answers {after.Score}, not {before.Score}");
    }

    private static void Tokenize(string folder)
    {
        Tokenizer tokenizer = Tokenizer.FromFolder(folder);
        foreach (string text in (string[])["a good film", "", "a \U0001FAE9 b", "\uD800", "é\u0301 中 \0"])
        {
            int[] ids = tokenizer.Encode(text);
            if (Array.Exists(ids, id => id < 0 || id >= tokenizer.VocabularySize)) throw new FuzzException("an id is outside the vocabulary");
            tokenizer.Decode(ids);
        }
    }
}
